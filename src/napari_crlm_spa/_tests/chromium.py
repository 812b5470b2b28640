"""A headless Chromium that opens pages for tests; tests skip with a reason where there is none."""

import html
import json
import os
import re
import shutil
import subprocess

import pytest

#: The same names on Debian, Ubuntu and Fedora; the variable serves all others.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROGRAM = os.environ.get("CRLM_SPA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
needs_chromium = pytest.mark.skipif(
    PROGRAM is None,
    reason="needs a Chromium (apt-get install chromium), or its place in CRLM_SPA_CHROMIUM",
)
#: Reports what a page looks like inside a frame of a given width.
_PROBE = """
<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe id="frame" style="border:0" width="{width}" height="900" srcdoc="{page}"></iframe>
<pre id="told"></pre>
<script>
const frame = document.getElementById("frame");
frame.addEventListener("load", () => {{
  const inner = frame.contentDocument, view = frame.contentWindow;
  const scrolls = (node) => node && (/auto|scroll/.test(view.getComputedStyle(node).overflowX)
    || scrolls(node.parentElement));
  const hidden = (node) => node.closest("svg, .frame");
  const beyond = [...inner.body.querySelectorAll("*")].filter((node) =>
    node.getBoundingClientRect().right > inner.documentElement.clientWidth + 1
    && !scrolls(node) && !hidden(node)).map((node) => node.outerHTML.slice(0, 80));
  document.getElementById("told").textContent = JSON.stringify({{
    page: inner.documentElement.scrollWidth, width: inner.documentElement.clientWidth, beyond,
    small: [...inner.body.querySelectorAll("p, td, li, dd, span, b")].filter((node) =>
      node.textContent.trim() && !node.closest(".frame")
      && parseFloat(view.getComputedStyle(node).fontSize) < 12).length,
    scrolling: [...inner.querySelectorAll(".scroll")].filter((node) =>
      node.scrollWidth > node.clientWidth + 1).length,
  }});
}});
</script>
"""


def chromium(folder, *arguments):
    """Run it with a profile of its own; return what it prints."""
    quiet = ("--headless=new", "--disable-gpu", "--no-first-run", "--disable-extensions")
    # Its sandbox needs rights that a container's root does not have; the pages are our own.
    own = ("--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}")
    done = subprocess.run(
        [PROGRAM, *quiet, *own, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return done.stdout


def dom(folder, path, fragment=""):
    """Return a page as it is after its scripts have run."""
    address = path.as_uri() + fragment
    return chromium(folder, "--virtual-time-budget=3000", "--dump-dom", address)


def measured(folder, page, width):
    """Return how wide a page is in a window of a width, and what lies beyond its edge."""
    probe = folder / "probe.html"
    probe.write_text(_PROBE.format(width=width, page=html.escape(page)), encoding="utf-8")
    told = re.search(r'<pre id="told">(.*?)</pre>', dom(folder, probe), re.DOTALL)[1]
    return json.loads(html.unescape(told))


def pdf(folder, path):
    """Print a page; return the file's bytes."""
    target = folder / "page.pdf"
    chromium(folder, "--no-pdf-header-footer", f"--print-to-pdf={target}", path.as_uri())
    return target.read_bytes()
