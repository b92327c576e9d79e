/* <button data-confirm="将退回给 …，确定吗？">: asks before it sends. Without JavaScript the server's own page asks. */
(() => {
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
})();
