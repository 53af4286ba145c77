import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const CASES: readonly [what: string, code: string][] = [
  ['yjs alone', `export * from 'yjs'`],
  [
    'yjs + y-websocket + y-indexeddb',
    `export * from 'yjs'; export * from 'y-websocket'; export * from 'y-indexeddb'`,
  ],
  ['yjs + @skein/agent', `export * from 'yjs'; export * from '@skein/agent'`],
]

/** Prints what a page has to load: everything in one file, minified, and gzipped at level 9. */
export async function bundleSizes(): Promise<void> {
  console.log('Bundle sizes in bytes (esbuild, minified; gzip level 9)\n')
  console.log('| bundle | minified | gzip | gzip beyond yjs |')
  console.log('| --- | ---: | ---: | ---: |')
  let yjsGzip: number | undefined
  for (const [what, code] of CASES) {
    const bundle = await bundled(code)
    const gzip = gzipSync(bundle, { level: 9 }).length
    yjsGzip ??= gzip
    console.log(`| ${what} | ${bundle.length} | ${gzip} | ${gzip - yjsGzip} |`)
  }
}

async function bundled(contents: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    mainFields: ['browser', 'module', 'main'],
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]!.contents
}
