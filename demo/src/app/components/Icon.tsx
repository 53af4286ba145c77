/** The icons of the page: 24 units square, drawn in strokes of the text's colour. */
const PATHS = {
  home: 'M4 11.2 12 4.5l8 6.7M6.2 9.6V19h11.6V9.6M10 19v-5h4v5',
  security: 'M12 4l6.5 2.4v5c0 4-2.7 6.9-6.5 8.6-3.8-1.7-6.5-4.6-6.5-8.6v-5z',
  lock: 'M6.5 11h11v8.5h-11zM8.8 11V8.2a3.2 3.2 0 0 1 6.4 0V11M12 14.3v2.2',
  unlock: 'M6.5 11h11v8.5h-11zM8.8 11V8.2a3.2 3.2 0 0 1 6.2-1.1M12 14.3v2.2',
  flame:
    'M12 4c.6 3 4.8 5.2 4.8 9.6A4.8 4.8 0 0 1 12 18.4a4.8 4.8 0 0 1-4.8-4.8c0-2 1-3.2 2-4.2.3 1.6 1 2.3 1.6 2.5C10.4 9 10.8 6.5 12 4z',
  bell: 'M12 4.5a4.8 4.8 0 0 0-4.8 4.8v3.7L5.500 16.200h13l-1.7-3.2V9.3A4.8 4.8 0 0 0 12 4.5zM10.3 18.8a1.9 1.9 0 0 0 3.4 0',
  latch: 'M12 4v9M8.2 9.5 12 13.3l3.800-3.800M6 18.5h12',
  lab: 'M9.5 4h5M10.5 4v5.6L5.6 18a1.4 1.4 0 0 0 1.2 2h10.4a1.4 1.4 0 0 0 1.2-2l-4.9-8.4V4M8 14.5h8',
  agents: 'M5 6.5h5v5H5zM14 4h5v5h-5zM14 14.5h5v5h-5zM10 9l4-2.2M9.5 11.5l4.5 4',
  sun: 'M12 8.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6zM12 3v1.8M12 19.2V21M3 12h1.8M19.2 12H21M5.6 5.6l1.3 1.3M17.1 17.1l1.3 1.3M18.4 5.6l-1.3 1.3M6.9 17.1l-1.3 1.3',
  moon: 'M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z',
  queued: 'M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM12 8.5V12l2.4 1.6',
  pending: 'M6 12h.01M12 12h.01M18 12h.01',
  refused: 'M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM7.2 7.2l9.6 9.6',
  check: 'M5.5 12.6l4 4 9-9.2',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  plus: 'M12 6v12M6 12h12',
  minus: 'M6 12h12',
  open: 'M13.5 5H19v5.5M19 5l-8 8M16.5 13.5V19h-11V8H11',
  temperature: 'M12 4.5a1.8 1.8 0 0 1 1.8 1.8v7.3a3.6 3.6 0 1 1-3.6 0V6.3A1.8 1.8 0 0 1 12 4.5zM12 10v6.5',
  humidity: 'M12 4.5c3 3.7 5 6.4 5 9.2a5 5 0 0 1-10 0c0-2.8 2-5.5 5-9.2z',
  illuminance: 'M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM12 4.5v1.6M12 17.9v1.6M4.5 12h1.6M17.9 12h1.6',
  motion:
    'M13.5 5.2h.01M8 20l2.6-5.2-1.4-2.6.9-3.7 3 1.1 1.5 2.4 2.7.8M10.6 14.8l2.6 1.6.6 3.6M10.1 8.5L7 10l-.6 3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'pending' ? 3 : 1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
