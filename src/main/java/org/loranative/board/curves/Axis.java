package org.loranative.board.curves;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.loranative.board.http.Refused;
import org.loranative.track.DataFacts;
import org.loranative.track.RecordedRun;
import org.loranative.track.Scalars;
import org.loranative.track.SessionClock;

/** What lies along a chart. */
enum Axis {
  STEP {
    @Override
    IntToDoubleFunction of(RecordedRun run, Scalars s) {
      return s::step;
    }
  },
  /** Hours of training, from the run's own start; pauses between sessions left out. */
  TIME {
    @Override
    IntToDoubleFunction of(RecordedRun run, Scalars s) {
      SessionClock clock = run.clock();
      return i -> clock.at(s.wall(i)) / 3600;
    }
  },
  /** Tokens of language models that were read, padding left out. */
  TOKENS {
    @Override
    IntToDoubleFunction of(RecordedRun run, Scalars s) {
      for (String tag : COUNTED) {
        Scalars counted = run.scalars(tag);
        if (counted.size() > 0) {
          return i -> at(counted.steps(), counted.values(), s.step(i));
        }
      }
      Scalars rate = run.scalars("perf/tokens_per_s");
      Scalars millis = run.scalars("perf/step_ms");
      int n = Math.min(rate.size(), millis.size());
      double[] tokens = new double[n];
      double sum = 0;
      for (int i = 0; i < n; i++) {
        double more = rate.value(i) * millis.value(i) / 1000;
        sum += Double.isFinite(more) ? more : 0;
        tokens[i] = sum;
      }
      long[] steps = rate.steps();
      return n == 0 ? Axis::none : i -> at(steps, tokens, s.step(i));
    }
  },
  /** Examples or images that were shown. */
  SAMPLES {
    @Override
    IntToDoubleFunction of(RecordedRun run, Scalars s) {
      double batch = batch(run.settings());
      return Double.isNaN(batch) ? Axis::none : i -> s.step(i) * batch;
    }
  },
  EPOCHS {
    @Override
    IntToDoubleFunction of(RecordedRun run, Scalars s) {
      double batch = batch(run.settings());
      double records = number(run.settings(), DataFacts.RECORDS);
      if (!Double.isNaN(batch / records)) {
        return i -> s.step(i) * batch / records;
      }
      for (String tag : List.of("train/epoch", "epoch")) {
        Scalars epochs = run.scalars(tag);
        if (epochs.size() > 0) {
          return i -> at(epochs.steps(), epochs.values(), s.step(i));
        }
      }
      return Axis::none;
    }
  };

  private static final List<String> COUNTED =
      List.of("train/num_tokens", "num_tokens", "train/num_input_tokens_seen");

  static Axis named(String name) {
    try {
      return name.isEmpty() ? STEP : valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw Refused.notThere("there is no axis " + name);
    }
  }

  /** Its value at each point of a curve, NaN where the run does not say. */
  abstract IntToDoubleFunction of(RecordedRun run, Scalars s);

  private static double none(int point) {
    return Double.NaN;
  }

  private static double batch(Map<String, String> settings) {
    double accumulation = number(settings, "gradient_accumulation");
    return number(settings, "batch_size") * (Double.isNaN(accumulation) ? 1 : accumulation);
  }

  private static double number(Map<String, String> settings, String key) {
    try {
      return settings.containsKey(key) ? Double.parseDouble(settings.get(key)) : Double.NaN;
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /** The newest value at or before a step; 0 before the first. */
  private static double at(long[] steps, double[] values, long step) {
    int n = Math.min(steps.length, values.length);
    int i = java.util.Arrays.binarySearch(steps, 0, n, step);
    int found = i >= 0 ? i : -i - 2;
    return found < 0 ? 0 : values[found];
  }
}
