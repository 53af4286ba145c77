import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { barChart } from '../svg.js'
import { CONTENDERS, Contender, type ContenderName } from './contender.js'
import { fanOut } from './fan-out.js'
import { idleMemory, manyRooms } from './many-rooms.js'

interface Case {
  readonly name: string
  readonly unit: string
  readonly run: (contender: Contender) => Promise<number>
}

const CASES: readonly Case[] = [
  {
    name: '1 to 100, 50 updates/s: CPU per delivery',
    unit: 'us',
    run: async (contender) => (await fanOut(contender, 100, 200, 50)).cpuUsPerDelivery,
  },
  {
    name: '1 to 100, 50 updates/s: p50 latency',
    unit: 'ms',
    run: async (contender) => (await fanOut(contender, 100, 200, 50)).p50Ms,
  },
  {
    name: '1 to 100, flat out: CPU per delivery',
    unit: 'us',
    run: async (contender) => (await fanOut(contender, 100, 2_000, undefined)).cpuUsPerDelivery,
  },
  {
    name: '1 to 500, flat out: CPU per delivery',
    unit: 'us',
    run: async (contender) => (await fanOut(contender, 500, 600, undefined)).cpuUsPerDelivery,
  },
  {
    name: '1 to 500, flat out: peak memory',
    unit: 'MiB',
    run: async (contender) => (await fanOut(contender, 500, 600, undefined)).rssMaxMiB,
  },
  {
    name: '200 rooms of 5: CPU per delivery',
    unit: 'us',
    run: (contender) => manyRooms(contender, 200, 5),
  },
  {
    name: '2,000 idle connections: memory each',
    unit: 'KiB',
    run: async (contender) => (await idleMemory(contender, 2_000)) / 1024,
  },
]

const ROUNDS = 3

/**
 * Measures the relay beside a bare forwarder and @y/websocket-server: each case in a fresh process, the
 * contenders in turn, three rounds; the median and the spread, and the ratio to the bare forwarder.
 */
export async function relayBench(): Promise<void> {
  console.log(`Each figure is the median of ${ROUNDS} rounds (lowest to highest), each in a fresh process.`)
  console.log('skein runs with its log on disk and acknowledges; bare and stock keep nothing.\n')
  const rows: { name: string; ratios: Record<ContenderName, number> }[] = []
  console.log(`| case | ${CONTENDERS.map((name) => `${name} |`).join(' ')} stock/bare | skein/bare |`)
  console.log(`| --- | ${CONTENDERS.map(() => '---: |').join(' ')} ---: | ---: |`)
  for (const { name, unit, run } of CASES) {
    const results: Record<ContenderName, number[]> = { bare: [], stock: [], skein: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const contenderName of CONTENDERS) {
        const contender = await Contender.start(contenderName)
        try {
          results[contenderName].push(await run(contender))
        } finally {
          await contender.stop()
        }
      }
    }
    const ratio = (contender: ContenderName) => median(results[contender]) / median(results.bare)
    const cells = CONTENDERS.map((contender) => cell(results[contender], unit))
    console.log(
      `| ${name} | ${cells.join(' | ')} | ${ratio('stock').toFixed(2)} | ${ratio('skein').toFixed(2)} |`,
    )
    rows.push({ name, ratios: { bare: 1, stock: ratio('stock'), skein: ratio('skein') } })
  }
  const file = path.resolve('bench-results/relay.svg')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, barChart('Ratio to a bare forwarder (less is better, logarithmic)', rows, CONTENDERS))
  console.log(`\nPlot: ${file}`)
}

function cell(values: readonly number[], unit: string): string {
  const digits = median(values) < 10 ? 2 : 1
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)]
  return `${middle.toFixed(digits)} ${unit} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
