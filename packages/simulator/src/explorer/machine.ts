/** Something that takes inputs and gives outputs, and depends on nothing else. */
export interface Behaviour<Input, Output> {
  step(input: Input): readonly Output[]
  /** The same for two that will behave the same. */
  fingerprint(): string
}

export interface Transition<Output> {
  readonly state: number
  readonly outputs: readonly Output[]
}

interface State<Input, Output> {
  readonly inputs: readonly Input[]
  readonly next: Map<string, Transition<Output>>
}

/**
 * Numbers the states of an object that cannot be copied. A state is reached again by repeating the inputs that
 * led there; each step out of each state is done once, and remembered.
 */
export class Machine<Input, Output> {
  private readonly states: State<Input, Output>[] = []
  private readonly numbers = new Map<string, number>()
  readonly first: number

  constructor(private readonly create: () => Behaviour<Input, Output>) {
    this.first = this.number(create().fingerprint(), [])
  }

  /** @param name stands for the input: the same for the same */
  step(state: number, name: string, input: Input): Transition<Output> {
    const from = this.states[state]!
    let transition = from.next.get(name)
    if (transition === undefined) {
      const behaviour = this.create()
      for (const earlier of from.inputs) behaviour.step(earlier)
      const outputs = behaviour.step(input)
      transition = { state: this.number(behaviour.fingerprint(), [...from.inputs, input]), outputs }
      from.next.set(name, transition)
    }
    return transition
  }

  private number(fingerprint: string, inputs: readonly Input[]): number {
    let number = this.numbers.get(fingerprint)
    if (number === undefined) {
      number = this.states.length
      this.numbers.set(fingerprint, number)
      this.states.push({ inputs, next: new Map() })
    }
    return number
  }
}
