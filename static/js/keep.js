/* Turns the drawn card of the follow-up code into a PNG, which a phone can put among its pictures (long press in WeChat,
   which downloads nothing) and a browser can download. Without JavaScript the drawing stays, and a screenshot does as well. */
(() => {
  for (const link of document.querySelectorAll("[data-keep]")) {
    const picture = document.getElementById(link.dataset.keep);
    if (!picture) continue;
    const draw = () => {
      const canvas = document.createElement("canvas");
      canvas.width = picture.naturalWidth * 2;
      canvas.height = picture.naturalHeight * 2;
      try {
        canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
        const png = canvas.toDataURL("image/png");
        if (!png.startsWith("data:image/png")) return;
        picture.src = png;
        if (/MicroMessenger/i.test(navigator.userAgent)) return;
        link.href = png;
        link.hidden = false;
      } catch { /* a browser that does not let drawings be read: the drawing stays */ }
    };
    if (picture.complete && picture.naturalWidth) draw();
    else picture.addEventListener("load", draw, { once: true });
  }
})();
