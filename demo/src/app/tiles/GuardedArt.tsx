/** The three things under guard, drawn in the strokes of the house; their state moves a part of each. */
export function GuardedArt({ kind, state }: { kind: 'lock' | 'alarm' | 'valve'; state: string }) {
  return (
    <svg className={`guarded-art guarded-${kind}`} data-state={state} viewBox="0 0 120 96" aria-hidden="true">
      {kind === 'lock' ? <Door /> : kind === 'alarm' ? <Shield /> : <Valve />}
    </svg>
  )
}

/** A leaf in its frame, and the bolt that goes into the frame. */
function Door() {
  return (
    <>
      <path className="fixture" d="M30 96V12h60v84" />
      <path className="keep" d="M83 52h7v14h-7z" />
      <g className="leaf">
        <path className="body" d="M36 96V18h47v78" />
        <path className="fixture" d="M44 28h31v22H44zM44 70h31v18H44z" />
        <circle className="knob" cx="72" cy="59" r="3.2" />
        <path className="bolt" d="M74 59h13" />
      </g>
    </>
  )
}

/** A shield whose inside fills while it watches. */
function Shield() {
  return (
    <>
      <path
        className="waves"
        d="M20 34a34 34 0 0 0 0 32M100 34a34 34 0 0 1 0 32M11 26a48 48 0 0 0 0 48M109 26a48 48 0 0 1 0 48"
      />
      <path className="body" d="M60 12l30 11v22c0 19-12 32-30 40-18-8-30-21-30-40V23z" />
      <path className="fill" d="M60 21l22 8v16c0 14-9 24-22 30-13-6-22-16-22-30V29z" />
      <path className="sign" d="M49 48l8 8 15-16" />
    </>
  )
}

/** A pipe with a quarter-turn handle: along the pipe is open, across it is closed. */
function Valve() {
  return (
    <>
      <path className="gas" d="M4 62h112" />
      <path className="fixture" d="M4 51h34M4 73h34M82 51h34M82 73h34" />
      <path className="body" d="M38 45h9l6 5h14l6-5h9v34h-9l-6-5H53l-6 5h-9z" />
      <path className="fixture" d="M60 50V38" />
      <g className="handle">
        <path d="M60 34h30" />
        <circle cx="60" cy="34" r="5.5" />
      </g>
    </>
  )
}
