import type { Socket, Sockets } from './platform.js'

/** Connections in a page or worker. */
export const BROWSER_SOCKETS: Sockets = {
  connect(url, protocols = []) {
    const socket = new WebSocket(url, [...protocols])
    socket.binaryType = 'arraybuffer'
    return socket as Socket
  },
  watch(wake, hide) {
    // A worker has no document; its page tells it nothing about visibility.
    const page = typeof document === 'undefined' ? undefined : document
    const onVisible = () => {
      if (page?.visibilityState === 'visible') wake()
    }
    globalThis.addEventListener('online', wake)
    globalThis.addEventListener('pageshow', wake)
    globalThis.addEventListener('pagehide', hide)
    page?.addEventListener('visibilitychange', onVisible)
    return () => {
      globalThis.removeEventListener('online', wake)
      globalThis.removeEventListener('pageshow', wake)
      globalThis.removeEventListener('pagehide', hide)
      page?.removeEventListener('visibilitychange', onVisible)
    }
  },
}
