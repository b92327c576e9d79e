/* A form is sent once: a second tap on a slow line must not order twice. The server guards itself as well. */
(() => {
  const sent = new WeakSet();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-again")) return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.add(form);
    // After this turn: a disabled button would not send its own name and value.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
      form.setAttribute("aria-busy", "true");
    });
  });

  // WeChat's back button shows the page as it was left: open the form again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.forms) {
      sent.delete(form);
      form.removeAttribute("aria-busy");
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });
})();
