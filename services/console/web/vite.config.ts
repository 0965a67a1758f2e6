import { defineConfig } from "vite";

// Nothing inline and nothing from elsewhere: the console's content security policy allows neither.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../src/interlock/console/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": "http://127.0.0.1:5556" } },
});
