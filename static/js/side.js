/* The menu shows the entry of the page, however far down it stands. Without this file it is there below the edge. */
(() => {
  const entry = document.querySelector(".side [aria-current]");
  const side = entry?.closest(".side");
  if (side && entry.offsetTop + entry.offsetHeight > side.clientHeight) {
    side.scrollTop = entry.offsetTop - side.clientHeight / 2;
  }
})();
