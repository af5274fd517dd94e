package org.loranative.board.runs;

import java.util.OptionalDouble;
import org.loranative.track.RecordedRun;
import org.loranative.track.SessionClock;

/** How fast a run goes. */
final class Rate {
  private static final int RECENT = 50;

  private Rate() {}

  /** Seconds of a step lately, by when points of a curve were written. */
  static OptionalDouble secondsPerStep(RecordedRun run, String tag) {
    SessionClock clock = run.clock();
    return run.curve(
        tag,
        s -> {
          int last = s.size() - 1;
          int first = Math.max(0, last - RECENT);
          long steps = last < 0 ? 0 : s.step(last) - s.step(first);
          return steps > 0
              ? OptionalDouble.of((clock.at(s.wall(last)) - clock.at(s.wall(first))) / steps)
              : OptionalDouble.empty();
        });
  }
}
