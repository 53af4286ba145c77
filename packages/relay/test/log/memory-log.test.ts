import { memoryLog } from '../../src/log/memory-log.js'
import { describeLog } from './log-acceptance.js'

describeLog('memory log', async () => memoryLog())
