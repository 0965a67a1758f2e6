// Runs before the first paint, so that a page in the dark never flashes white.
try {
  var chosen = localStorage.getItem("interlock.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (_) {
  // Storage is closed to us: the system's preference holds.
}
