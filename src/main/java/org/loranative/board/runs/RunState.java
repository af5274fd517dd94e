package org.loranative.board.runs;

import java.nio.file.Path;
import java.util.Optional;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunStatus;
import org.loranative.track.RunStatus.State;

/** What a run is doing, by what it says and, where it says nothing, by what it wrote. */
final class RunState {
  /** A run of another tool that wrote something so long ago is taken to run still. */
  private static final double SILENT_SECONDS = 120;

  private RunState() {}

  static State of(RunEntry entry) {
    Path logs = entry.place().logs();
    RecordedRun run = entry.recorded();
    double silent = System.currentTimeMillis() / 1e3 - run.clock().last();
    Optional<RunStatus> said = RunStatus.read(logs);
    if (said.isPresent() && said.get().state() != State.RUNNING) {
      return said.get().state();
    }
    if (said.isPresent() && said.get().isHere()) {
      return said.get().isAlive() ? State.RUNNING : State.FAILED; // killed: it said nothing
    }
    if (said.isPresent()) {
      return silent < 5 * SILENT_SECONDS ? State.RUNNING : State.UNKNOWN;
    }
    if (run.ended().isPresent()) {
      return run.ended().get() ? State.FINISHED : State.STOPPED;
    }
    return silent < SILENT_SECONDS ? State.RUNNING : State.UNKNOWN;
  }
}
