import { expect, test } from 'vitest'
import { seededRandom } from './support/seed.js'
import { mustRead, mustWrite, propose } from './support/strong-agent.js'
import { StrongClient } from './support/strong-client.js'
import { RELAYS, StrongCluster } from './support/strong-cluster.js'
import { FAULTS } from './support/strong-faults.js'
import { pause } from './support/until.js'

const PREFIX = 'lock/'
const PROPOSALS = { A: '[1,2,3]', B: '[2,4,6]', C: '[3,6,9]' }

test('three agents propose, one value is decided, and all report it, whatever fails of a minority', async ({
  onTestFinished: after,
}) => {
  const random = seededRandom('strong-proposals')
  const cluster = await StrongCluster.start(after, { prefix: PREFIX })
  const client = new StrongClient(after, 'space')
  const decided = new Map<string, number>()
  for (const { name, begin } of FAULTS.filter(({ leavesMajority }) => leavesMajority)) {
    const key = `${PREFIX}${name}`
    await mustWrite(client, cluster, `${PREFIX}ready`, '"yes"')
    const agents = Object.entries(PROPOSALS).map(async ([agent, data]) => {
      await pause(random.below(40))
      return propose(client, cluster, random, key, data, `${agent}-${name}`.replaceAll(/[ ,]/g, '-'))
    })
    await pause(random.below(20))
    const end = await begin(cluster, random)
    const reports = await Promise.all(agents)
    await end()
    const [report] = reports
    expect(Object.values(PROPOSALS), name).toContain(report)
    expect(reports, name).toEqual([report, report, report])
    for (const id of RELAYS) {
      expect(await mustRead(client, cluster, key, [id]), `${name}, later at ${id}`).toMatchObject({
        data: report,
      })
    }
    decided.set(report!, (decided.get(report!) ?? 0) + 1)
  }
  console.log(`strong-proposals: decided ${JSON.stringify([...decided])}`)
})
