/* Unpacks the script of a page and runs it, where the browser has what it needs. */
(async () => {
  if (!document.querySelector("[data-scene]") || !globalThis.WebAssembly || !globalThis.DecompressionStream) return;
  const bytes = (id) => Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const unzip = (some) => new Response(new Blob([some]).stream().pipeThrough(new DecompressionStream("gzip")));
  new Function("bytes", "unzip", "root", await unzip(bytes("schild-script")).text())(bytes, unzip, document);
})();
