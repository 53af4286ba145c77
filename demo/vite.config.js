// @ts-check
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Two copies of yjs would break its `instanceof` checks.
  resolve: { dedupe: ['yjs'] },
  // `dist` itself holds what tsc writes.
  build: { outDir: 'dist/page', target: 'es2022', cssTarget: ['chrome123', 'firefox128', 'safari17.5'] },
})
