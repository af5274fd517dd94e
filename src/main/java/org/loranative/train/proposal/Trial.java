package org.loranative.train.proposal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.loranative.config.TrainConfig;
import org.loranative.io.AtomicFolders;
import org.loranative.track.Console;
import org.loranative.track.RunLog;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.TrainRun;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ten steps of a run in a folder of their own, to tell the time. */
final class Trial {
  private static final Logger log = LoggerFactory.getLogger(Trial.class);
  private static final int STEPS = 10;
  private static final int WARM_UP = 3;

  private Trial() {}

  /**
   * @param config gives the run's configuration with further settings
   */
  static double secondsPerStep(Function<List<String>, TrainConfig> config) throws IOException {
    Path folder = Files.createTempDirectory("lora-native-init");
    PrintStream silent = new PrintStream(OutputStream.nullOutputStream());
    List<String> trial =
        List.of(
            "output_dir=" + SettingsFile.yaml(folder.resolve("run").toString()),
            "max_steps=" + STEPS,
            "save_steps=0",
            "eval_steps=1000000",
            "early_stop=0",
            "sample_steps=0");
    try (AutoCloseable quiet = RunLog.quiet();
        TrainRun run = new TrainRun(config.apply(trial))) {
      run.train(false, new Console(silent, false), new StopSignal());
      List<String> lines = Files.readAllLines(folder.resolve("run/logs/metrics.jsonl"));
      double[] millis =
          lines.stream()
              .skip(WARM_UP)
              .mapToDouble(
                  l -> Double.parseDouble(l.replaceAll(".*\"step_ms\":([0-9.E]+).*", "$1")))
              .sorted()
              .toArray();
      log.debug("trial steps: {} ms", Arrays.toString(millis));
      return millis[millis.length / 2] / 1e3;
    } catch (RuntimeException | IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      AtomicFolders.delete(folder);
    }
  }
}
