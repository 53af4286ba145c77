import { describe, expect, test } from 'vitest'
import { FenceGate } from '../src/devices/fence.js'
import { GuardedDevice } from '../src/devices/guarded-device.js'
import { StrongBridge } from '../src/devices/strong-bridge.js'
import { ALARM, COMMAND_MS, FRONT_DOOR, GAS, type Guarded } from '../src/model/guarded.js'
import { latchPrefix } from '../src/model/keys.js'
import { clearedBy, pullLatch } from '../src/model/latches.js'
import { targetValue } from '../src/model/target.js'
import { stateOn } from './space-double.js'
import { StrongDouble } from './strong-double.js'

describe('the fence gate', () => {
  test('takes rising fences, each once, and refuses a lower one', () => {
    const gate = new FenceGate()
    expect(gate.judge({ fence: 3, until: undefined }, 0)).toBe('take')
    expect(gate.judge({ fence: 3, until: undefined }, 0)).toBe('known')
    expect(gate.judge({ fence: 2, until: undefined }, 0)).toBe('old-fence')
    expect(gate.judge({ fence: 5, until: undefined }, 0)).toBe('take')
  })

  test('refuses a command whose moment has passed, and its fence counts all the same', () => {
    const gate = new FenceGate()
    expect(gate.judge({ fence: 4, until: 1_000 }, 1_001)).toBe('expired')
    expect(gate.judge({ fence: 3, until: undefined }, 0)).toBe('old-fence')
  })

  test('knows the fences from before a restart', () => {
    const gate = new FenceGate()
    gate.restore(9)
    expect(gate.judge({ fence: 8, until: undefined }, 0)).toBe('old-fence')
  })
})

describe('the front door', () => {
  test('unlocks, and locks itself again after its time, also in the strong key', async () => {
    const home = await homeWith(FRONT_DOOR)
    await home.decide('unlocked')
    expect(home.device.state).toMatchObject({ state: 'unlocked', fence: 1 })
    await home.pass(COMMAND_MS)
    expect(home.device.state.state).toBe('locked')
    expect(home.region.current('lock/front_door')).toMatchObject({ value: { state: 'locked' }, version: 2 })
  })

  test('locks itself again where no relay can be asked', async () => {
    const home = await homeWith(FRONT_DOOR)
    await home.decide('unlocked')
    home.region.reachable = false
    await home.pass(COMMAND_MS)
    expect(home.device.state.state).toBe('locked')
  })

  test('an unlock that reaches it too late is refused, and said so', async () => {
    const home = await homeWith(FRONT_DOOR)
    const late = targetValue(FRONT_DOOR, 'unlocked', 'Phone', {}, home.now())
    await home.pass(COMMAND_MS + 1)
    home.region.decide('lock/front_door', late)
    await home.pass(1_000)
    expect(home.device.state).toMatchObject({ state: 'locked', fence: 1 })
    expect(home.device.state.refused).toContain('too late')
  })

  test('an unlock without a last moment is refused', async () => {
    const home = await homeWith(FRONT_DOOR)
    home.region.decide('lock/front_door', { state: 'unlocked', by: 'Forger' })
    await home.pass(1_000)
    expect(home.device.state.state).toBe('locked')
  })

  test('an overtaken command, from one that was paused, is refused', async () => {
    const home = await homeWith(FRONT_DOOR)
    home.region.decide('lock/front_door', targetValue(FRONT_DOOR, 'locked', 'Hub', {}, home.now()), 7)
    await home.pass(1_000)
    home.region.decide('lock/front_door', targetValue(FRONT_DOOR, 'unlocked', 'Zombie', {}, home.now()), 6)
    await home.pass(1_000)
    expect(home.device.state).toMatchObject({ state: 'locked', fence: 7 })
    expect(home.device.state.refused).toContain('fence 6')
  })

  test('is shut after a restart, however long it was open', () => {
    const device = new GuardedDevice(FRONT_DOOR)
    device.restore('state', 'unlocked')
    device.restore('fence', 4)
    device.advance(100)
    device.advance(1_000)
    expect(device.state).toMatchObject({ state: 'locked', fence: 4 })
  })
})

describe('latches', () => {
  test('close the gas without any relay', async () => {
    const home = await homeWith(GAS)
    await home.decide('open')
    home.region.reachable = false
    pullLatch(home.space, GAS.entity, 'phone', 'Phone', home.now())
    await home.pass(1_000)
    expect(home.device.state.state).toBe('closed')
  })

  test('hold against a target whose writer had not seen them', async () => {
    const home = await homeWith(GAS)
    pullLatch(home.space, GAS.entity, 'phone', 'Phone', home.now())
    await home.decide('open')
    expect(home.device.state.state).toBe('closed')
    await home.decide('open', clearedBy(home.space.entries(latchPrefix(GAS.entity))))
    expect(home.device.state.state).toBe('open')
  })

  test('are not lifted by a command that came too late', async () => {
    const home = await homeWith(ALARM)
    pullLatch(home.space, ALARM.entity, 'phone', 'Phone', home.now())
    const cleared = clearedBy(home.space.entries(latchPrefix(ALARM.entity)))
    const late = targetValue(ALARM, 'disarmed', 'Tablet', cleared, home.now())
    await home.pass(COMMAND_MS + 1)
    home.region.decide('alarm/home', late)
    await home.pass(1_000)
    expect(home.device.state.state).toBe('triggered')
  })

  test('that were lifted do not sound the alarm again after a restart without a quorum', async () => {
    const home = await homeWith(ALARM)
    pullLatch(home.space, ALARM.entity, 'phone', 'Phone', home.now())
    await home.decide('disarmed', clearedBy(home.space.entries(latchPrefix(ALARM.entity))))
    const again = new GuardedDevice(ALARM)
    for (const [field, value] of Object.entries(home.device.state)) again.restore(field, value)
    const bridge = new StrongBridge(home.space, { ...silent, watch: never }, [again], home.now)
    again.advance(home.now() + 1_000)
    expect(again.state.state).toBe('disarmed')
    bridge.end()
    home.end()
  })
})

const silent = { compareAndSet: () => Promise.reject(new Error('unavailable')) }

async function* never(): AsyncGenerator<never> {
  await new Promise(() => {})
}

async function homeWith(guarded: Guarded) {
  let now = 1_000_000
  const space = stateOn()
  const region = new StrongDouble()
  const device = new GuardedDevice(guarded)
  const bridge = new StrongBridge(space, region, [device], () => now)
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  await settle()
  const pass = async (ms: number) => {
    await settle()
    now += ms
    device.advance(now)
    bridge.writeBack()
    await settle()
    now += 1_000
    device.advance(now)
  }
  return {
    space,
    region,
    device,
    pass,
    now: () => now,
    end: () => bridge.end(),
    decide: async (state: string, cleared = {}) => {
      region.decide(guarded.strongKey, targetValue(guarded, state, 'Tablet', cleared, now))
      await pass(1_000)
    },
  }
}
