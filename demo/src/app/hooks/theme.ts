import { createSource, useSource } from './source.js'

export type Theme = 'light' | 'dark'

const STORAGE_KEY = 'skein-demo-theme'
const system = matchMedia('(prefers-color-scheme: dark)')
let chosen = readChoice()
let tell = () => {}

const theme = createSource<Theme>(
  () => chosen ?? (system.matches ? 'dark' : 'light'),
  (changed) => {
    tell = changed
    system.addEventListener('change', changed)
  },
)

/** The theme in use, and how to change it. A choice that equals the system's follows the system again. */
export function useTheme(): [Theme, (next: Theme) => void] {
  return [useSource(theme), choose]
}

/** Puts the stored choice into effect; called before the first render. */
export function applyTheme(): void {
  if (chosen) document.documentElement.dataset.theme = chosen
  else delete document.documentElement.dataset.theme
}

function choose(next: Theme): void {
  chosen = next === (system.matches ? 'dark' : 'light') ? undefined : next
  try {
    if (chosen) localStorage.setItem(STORAGE_KEY, chosen)
    else localStorage.removeItem(STORAGE_KEY)
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  applyTheme()
  tell()
}

function readChoice(): Theme | undefined {
  try {
    const stored = localStorage.getItem(STORAGE_KEY)
    return stored === 'light' || stored === 'dark' ? stored : undefined
  } catch {
    return undefined
  }
}
