package org.loranative.device.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP to make {@code org.loranative.device.LoraOps} from {@code lora_ops.h} and the
 * headers of {@code ops/}, the one list of device ops, and {@code sensors.h}. OpenMP's runtime and
 * oneDNN come out of the dnnl artifact.
 */
@Properties(
    value =
        @Platform(
            value = "linux-x86_64",
            include = {
              "lora_ops.h",
              "ops/device.h",
              "ops/experts.h",
              "ops/images.h",
              "ops/language.h",
              "ops/linear.h",
              "ops/optimizers.h",
              "ops/recurrent.h",
              "sensors.h"
            },
            // The linker is given these in reverse, so our static library stands last.
            link = {"gomp@.1", "dnnl@.3", "loranative"},
            preload = {"loranative_environment", "gomp@.1", "dnnl@.3"},
            preloadresource = "/org/bytedeco/dnnl/",
            compiler = "cpp17"),
    global = "org.loranative.device.LoraOps")
public class LoraOpsPreset implements InfoMapper {
  @Override
  public void map(InfoMap map) {}
}
