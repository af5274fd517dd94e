package org.loranative.track;

import java.util.Arrays;

/**
 * How long a run has trained up to a time of day: the pauses between a stop and the resumption do
 * not count.
 */
public final class SessionClock {
  private double[] starts = new double[4];

  /** Seconds of training before each session. */
  private double[] before = new double[4];

  private int sessions;
  private double last = Double.NEGATIVE_INFINITY;

  /** A session begins, in seconds since 1970; one that begins within another is part of it. */
  void begin(double wall) {
    if (sessions > 0 && wall <= last) {
      return;
    }
    if (sessions == starts.length) {
      starts = Arrays.copyOf(starts, 2 * sessions);
      before = Arrays.copyOf(before, 2 * sessions);
    }
    before[sessions] = sessions == 0 ? 0 : before[sessions - 1] + last - starts[sessions - 1];
    starts[sessions++] = wall;
    last = Math.max(last, wall);
  }

  /** Something was written then. */
  void seen(double wall) {
    if (sessions == 0) {
      begin(wall);
    }
    last = Math.max(last, wall);
  }

  /** Seconds of training up to a time. */
  public double at(double wall) {
    int i = Arrays.binarySearch(starts, 0, sessions, wall);
    int session = Math.max(0, i >= 0 ? i : -i - 2);
    return sessions == 0 ? 0 : before[session] + Math.max(0, wall - starts[session]);
  }

  /** When it began; NaN while nothing is known. */
  public double start() {
    return sessions == 0 ? Double.NaN : starts[0];
  }

  /** When it last wrote; negative infinity while nothing is known. */
  public double last() {
    return last;
  }

  SessionClock copy() {
    SessionClock copy = new SessionClock();
    copy.starts = starts.clone();
    copy.before = before.clone();
    copy.sessions = sessions;
    copy.last = last;
    return copy;
  }
}
