/* Shows the chosen pictures before they are sent: <div data-preview="id of the file input">. */
(() => {
  for (const box of document.querySelectorAll("[data-preview]")) {
    const input = document.getElementById(box.dataset.preview);
    if (!input) continue;
    let urls = [];
    const show = () => {
      urls.forEach((url) => URL.revokeObjectURL(url));
      urls = [];
      box.replaceChildren();
      for (const file of input.files) {
        if (!file.type.startsWith("image/")) continue;
        const image = new Image();
        image.src = URL.createObjectURL(file);
        image.alt = file.name;
        urls.push(image.src);
        box.append(image);
      }
    };
    input.addEventListener("change", show);
    show(); // after the back button the input may still hold its file
  }
})();
