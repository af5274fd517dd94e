package org.loranative.train.runs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.device.Device;
import org.loranative.graph.NotFinite;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Flat;
import org.loranative.model.AdapterStart;
import org.loranative.model.Placement;
import org.loranative.train.RunFolder;
import org.loranative.train.Training;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What adapters and optimizer are before the first step: an adapter's weights, or fresh ones. */
record Beginning(TrainConfig config, Device device, DType compute) {
  private static final Logger log = LoggerFactory.getLogger(Beginning.class);

  /**
   * Refuses an adapter that the run cannot begin with, before long work. A run that has checkpoints
   * goes on from them and needs none.
   */
  void check(Training<?> kind) {
    Path run = Path.of(config.outputDir());
    if (!Files.isDirectory(run) || RunFolder.checkpoints(run).isEmpty()) {
      TrainConfig.path(config.initAdapter()).ifPresent(path -> read(path, kind));
    }
  }

  private static Numbers read(Path adapter, Training<?> kind) {
    Numbers params = kind.readAdapter(adapter);
    if (!NotFinite.areFinite(params)) {
      throw new UserException(
          "init_adapter "
              + adapter
              + " holds NaN or infinite numbers: the run that wrote it diverged. Name an"
              + " earlier checkpoint of it, or another adapter.");
    }
    return params;
  }

  void set(Training<?> kind, AdapterState state, Placement placement) {
    Optional<Path> init = TrainConfig.path(config.initAdapter());
    if (init.isPresent()) {
      state.begin(read(init.get(), kind));
      log.info("Starting from the weights of {}", init.get());
    } else {
      Flat params = kind.adapters().initial(config.seed());
      AdapterStart.fill(device, kind.weights(), kind.adapters(), compute, placement, state, params);
      state.begin(params);
    }
  }
}
