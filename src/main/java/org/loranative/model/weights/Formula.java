package org.loranative.model.weights;

/** What a weight's number is by the file's. */
public sealed interface Formula {
  Formula PLAIN = new Plus(0);

  /** Of numbers that a file holds as -eˣ. */
  Formula LOG_OF_NEGATIVE = new LogOfNegative();

  float of(float x);

  /** The file's number by the weight's. */
  Formula back();

  default boolean isPlain() {
    return false;
  }

  /** The sum with a constant. */
  record Plus(float added) implements Formula {
    @Override
    public float of(float x) {
      return x + added;
    }

    @Override
    public Formula back() {
      return new Plus(-added);
    }

    @Override
    public boolean isPlain() {
      return added == 0;
    }
  }

  /** {@code log(-x)}. */
  record LogOfNegative() implements Formula {
    @Override
    public float of(float x) {
      return (float) Math.log(-x);
    }

    @Override
    public Formula back() {
      return new NegativeExponential();
    }
  }

  /** {@code -eˣ}. */
  record NegativeExponential() implements Formula {
    @Override
    public float of(float x) {
      return (float) -Math.exp(x);
    }

    @Override
    public Formula back() {
      return LOG_OF_NEGATIVE;
    }
  }
}
