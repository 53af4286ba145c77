// An agent in a process of its own, which can be stopped: `node agent.mjs <relay url> <space>`.
// It prints a line `<connection> <digest>` whenever either changes; a line on its input is a key to set.
import { createInterface } from 'node:readline'
import { joinSpace } from '@skein/agent'

const [url, name] = process.argv.slice(2)
const space = await joinSpace(name, { relays: [url] })
let told = ''

function tell() {
  const line = `${space.status.connection} ${space.digest()}`
  if (line !== told) console.log(line)
  told = line
}

space.onStatus(tell)
// Not at every edit: a digest goes over the whole document.
setInterval(tell, 50)
createInterface(process.stdin)
  .on('line', (key) => space.set(key, 1))
  .on('close', () => process.exit(0))
