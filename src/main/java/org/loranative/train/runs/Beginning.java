package org.loranative.train.runs;

import java.nio.file.Path;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.device.Device;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.model.AdapterStart;
import org.loranative.model.Placement;
import org.loranative.train.Training;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What adapters and optimizer are before the first step: an adapter's weights, or fresh ones. */
record Beginning(TrainConfig config, Device device, DType compute) {
  private static final Logger log = LoggerFactory.getLogger(Beginning.class);

  void set(Training<?> kind, AdapterState state, Placement placement) {
    Optional<Path> init = TrainConfig.path(config.initAdapter());
    if (init.isPresent()) {
      float[] params = kind.readAdapter(init.get());
      for (float x : params) {
        if (!Float.isFinite(x)) {
          throw new UserException(
              "init_adapter "
                  + init.get()
                  + " holds NaN or infinite numbers: the run that wrote it diverged. Name an"
                  + " earlier checkpoint of it, or another adapter.");
        }
      }
      state.begin(params);
      log.info("Starting from the weights of {}", init.get());
    } else {
      float[] params = kind.adapters().initial(config.seed());
      AdapterStart.fill(device, kind.weights(), kind.adapters(), compute, placement, state, params);
      state.begin(params);
    }
  }
}
