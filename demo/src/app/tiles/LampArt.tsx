/** A lamp as it hangs or stands: the fixture in strokes, the bulb in the lamp's colour. */
export function LampArt({ shape }: { shape: string | undefined }) {
  return (
    <svg className="lamp-art" viewBox="0 0 72 96" width="72" height="96" aria-hidden="true">
      {drawing(shape)}
    </svg>
  )
}

function drawing(shape: string | undefined) {
  switch (shape) {
    case 'floor':
      return (
        <>
          <ellipse className="bulb" cx="36" cy="45" rx="11" ry="5" />
          <path className="shade" d="M27 22h18l7 22H20z" />
          <path className="fixture" d="M36 44v46M25 91h22" />
        </>
      )
    case 'table':
      return (
        <>
          <ellipse className="bulb" cx="36" cy="59" rx="12" ry="5" />
          <path className="shade" d="M28 36h16l9 22H19z" />
          <path className="fixture" d="M36 58v18M30 76h12c3 4 4 9 2 14H28c-2-5-1-10 2-14z" />
        </>
      )
    case 'strip':
      return (
        <>
          <rect className="bulb" x="8" y="31" width="56" height="5" rx="2.5" />
          <path className="shade" d="M4 18h64v12H4z" />
        </>
      )
    default:
      return (
        <>
          <circle className="bulb" cx="36" cy="51" r="9" />
          <path className="fixture" d="M36 0v26" />
          <path className="shade" d="M31 26h10c10 4 16 12 17 23H14c1-11 7-19 17-23z" />
        </>
      )
  }
}
