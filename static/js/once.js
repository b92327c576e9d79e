/* A form is sent once: a second tap on a slow line must not order twice. The server guards itself as well.
   <form data-again> may be sent as often as one likes (a download, which leaves the page standing). */
(() => {
  const PATIENCE = 15000; // ms; a line this slow has lost it, let the person try again
  const sent = new WeakSet();

  const open = (form) => {
    sent.delete(form);
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll("[data-sent]")) {
      button.removeAttribute("data-sent");
      button.removeAttribute("aria-disabled");
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-again")) return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.add(form);
    // Never `disabled`: a disabled button would not send its own name and value.
    for (const button of form.querySelectorAll("button:not([type=button])")) {
      button.setAttribute("data-sent", "");
      button.setAttribute("aria-disabled", "true");
    }
    form.setAttribute("aria-busy", "true");
    setTimeout(() => open(form), PATIENCE);
  });

  // WeChat's back button shows the page as it was left: open its forms again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.forms) open(form);
  });
})();
