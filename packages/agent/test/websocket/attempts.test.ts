import { expect, test } from 'vitest'
import { Attempts } from '../../src/websocket/attempts.js'
import { ScriptedSockets } from './helpers.js'

const A = 'ws://a.example/home'
const B = 'ws://b.example/home'

function followed() {
  const sockets = new ScriptedSockets()
  let ended = 0
  const attempts = new Attempts([A, B], (url) => sockets.connect(url), {
    opened: () => {},
    ended: () => ended++,
  })
  const connect = (url: string) => ({ outer: attempts.connect(url), inner: sockets.last })
  return { attempts, connect, ended: () => ended }
}

test('W8 none is left when every relay has failed since one was open', () => {
  const { attempts, connect, ended } = followed()
  expect(attempts.exhausted).toBe(false)
  connect(A).inner.end()
  expect(attempts.exhausted).toBe(false)
  const b = connect(B)
  b.inner.onopen?.()
  connect(A).inner.end()
  expect(attempts.exhausted).toBe(false)
  b.inner.end()
  expect(attempts.exhausted).toBe(true)
  expect(ended()).toBe(3)
})

test('W8 a connection that is not needed any more has not failed', () => {
  const { attempts, connect } = followed()
  const a = connect(A)
  a.inner.onopen?.()
  const b = connect(B)
  b.inner.onopen?.()
  b.outer.close()
  a.inner.end()
  expect(attempts.exhausted).toBe(false)
  connect(B).inner.end()
  expect(attempts.exhausted).toBe(true)
})

test('W8 nor has an attempt that is not needed any more', () => {
  const { attempts, connect, ended } = followed()
  connect(A).inner.end()
  const b = connect(B)
  b.outer.close()
  // What a browser tells of it afterwards.
  b.inner.end(1006)
  expect(attempts.exhausted).toBe(false)
  expect(ended()).toBe(2)
  connect(B).inner.end()
  expect(attempts.exhausted).toBe(true)
})

test('W8 an attempt that is given up because there is no answer has failed', () => {
  const { attempts, connect } = followed()
  connect(A).inner.end()
  connect(B).outer.close(4000, 'no answer in time')
  expect(attempts.exhausted).toBe(true)
})

test('W8 a connection that does not answer has failed, and is over once', () => {
  const { attempts, connect, ended } = followed()
  const a = connect(A)
  a.inner.onopen?.()
  connect(B).inner.end()
  a.outer.close(4000, 'the server does not answer')
  expect(attempts.exhausted).toBe(true)
  a.inner.end(4000)
  expect(ended()).toBe(2)
})

test('W8 the last refusal counts, whoever it comes from', () => {
  const { attempts, connect } = followed()
  connect(A).inner.end(4401, 'who are you')
  expect(attempts.refusal).toEqual({ code: 4401, reason: 'who are you' })
  connect(B).outer.close(4409, 'another epoch')
  expect(attempts.refusal).toEqual({ code: 4409, reason: 'another epoch' })
  connect(A).inner.end(1006)
  expect(attempts.refusal.code).toBe(4409)
})
