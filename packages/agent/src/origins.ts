// Origins of transactions: where an update came from decides where it goes next.
export const FROM_STORE = Symbol('store')
export const FROM_RELAY = Symbol('relay')
export const FROM_TAB = Symbol('tab')
/** By way of another tab, from its relay. */
export const FROM_RELAY_BY_TAB = Symbol('relay by tab')
