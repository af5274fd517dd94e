package org.loranative.optim;

/**
 * Dynamic loss scale of f16 training (Micikevicius et al. 2018, §3.2; the numbers of PyTorch's
 * GradScaler): gradients are kept {@link #factor} times their value so that small ones do not
 * become zero; a step whose gradients overflow changes nothing and halves the factor, {@value
 * #GROWTH_INTERVAL} good steps double it.
 */
public final class LossScale {
  private static final float INITIAL = 65536;
  private static final int GROWTH_INTERVAL = 2000;

  /** Where a run stands; kept in its checkpoints. */
  public record State(float factor, int goodSteps) {
    /** The start of a run. */
    public static final State START = new State(INITIAL, 0);
  }

  private final boolean dynamic;
  private State state;

  private LossScale(boolean dynamic, State state) {
    this.dynamic = dynamic;
    this.state = state;
  }

  /** For f16. */
  public static LossScale dynamic(State state) {
    return new LossScale(true, state);
  }

  /** For every other dtype: 1, always. */
  public static LossScale none() {
    return new LossScale(false, new State(1, 0));
  }

  public float factor() {
    return state.factor();
  }

  public State state() {
    return state;
  }

  /** Goes back to where a checkpoint stood. */
  public void restore(State earlier) {
    if (dynamic) {
      state = earlier;
    }
  }

  /** Whether a step that overflowed may be passed over: a smaller factor can still be tried. */
  public boolean canShrink() {
    return dynamic && state.factor() > 1;
  }

  /** Learns of a step's gradients. */
  public void update(boolean finite) {
    if (!dynamic) {
      return;
    }
    if (!finite) {
      state = new State(Math.max(state.factor() / 2, 1), 0);
    } else if (state.goodSteps() + 1 == GROWTH_INTERVAL) {
      state = new State(state.factor() * 2, 0);
    } else {
      state = new State(state.factor(), state.goodSteps() + 1);
    }
  }
}
