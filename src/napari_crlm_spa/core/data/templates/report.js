// Without scripts the page is complete; with them the map's opacity can be changed.
const slider = document.getElementById("opacity");
const overlay = document.getElementById("overlay");
slider.parentElement.hidden = false;
slider.addEventListener("input", () => { overlay.style.opacity = slider.value / 100; });
