// Without scripts the page is complete; with them opacity and colors of the map can be changed.
const slider = document.getElementById("opacity");
const overlay = document.getElementById("overlay");
slider.parentElement.hidden = false;
slider.addEventListener("input", () => { overlay.style.opacity = slider.value / 100; });

// Colors for color-blind readers: every pixel of a legend's color gets the color beside it.
const safe = document.getElementById("safe");
const pictures = [...document.querySelectorAll("img.recolor")];
const keys = [...document.querySelectorAll("[data-color]")];
const originals = new Map(pictures.map((picture) => [picture, picture.src]));
const repainted = new Map();
const number = (hex) => parseInt(hex.slice(1), 16);
const table = new Map(keys.map(({ dataset }) => [number(dataset.color), number(dataset.safe)]));
const changes = keys.some(({ dataset }) => dataset.color !== dataset.safe);

function recolored(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const p = image.data;
  for (let i = 0; i < p.length; i += 4) {
    const to = table.get((p[i] << 16) | (p[i + 1] << 8) | p[i + 2]);
    if (to !== undefined) [p[i], p[i + 1], p[i + 2]] = [to >> 16, (to >> 8) & 255, to & 255];
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function paint() {
  for (const key of keys) {
    key.style.background = safe.checked ? key.dataset.safe : key.dataset.color;
  }
  for (const picture of pictures) {
    // The first time the picture still shows its own colors.
    if (!repainted.has(picture)) repainted.set(picture, recolored(picture));
    picture.src = (safe.checked ? repainted : originals).get(picture);
  }
}

addEventListener("load", () => {
  if (!changes) return;
  safe.parentElement.hidden = false;
  safe.addEventListener("change", paint);
  // A link to report.html#color-blind opens the page in these colors.
  if (location.hash === "#color-blind") { safe.checked = true; paint(); }
});

// Browsers that cannot unfold by style print what is folded away, too.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
