package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.device.CpuDevice;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/** A weight trained as a whole that neither an array of bytes nor a buffer can hold. */
class LargeWeightTest {
  private static final Adapters.Target LAYER = new Adapters.Target("lm_head", 4096, 132_000);

  @TempDir Path folder;

  /** Numbers that their place tells. */
  private record Counted(long size) implements Numbers {
    @Override
    public void read(long from, float[] to, int at, int count) {
      for (int i = 0; i < count; i++) {
        to[at + i] = at(from + i);
      }
    }

    static float at(long place) {
      return (float) (place % 1_000_003);
    }
  }

  @Tag("slow")
  @Test
  void goesToADeviceAndFilesAndBack() throws IOException {
    Adapters adapters = new Adapters(List.of(), List.of(), List.of(LAYER));
    long bytes = AdapterState.bytes(adapters, DType.F32);
    assertThat(bytes).isGreaterThan(Integer.MAX_VALUE);
    assumeTrue(
        Files.getFileStore(folder).getUsableSpace() > 3 * bytes, "no 7 GB are free on the disk");
    try (CpuDevice device = new CpuDevice(2)) {
      assumeTrue(device.freeBytes() > 2 * bytes, "no 5 GB of memory are free");
      try (AdapterState state = new AdapterState(device, adapters, DType.F32)) {
        Numbers counted = new Counted(adapters.floats());
        state.write(AdapterState.PARAMS, counted);
        PeftFormat.write(folder, adapters, state.numbers(AdapterState.PARAMS), List.of(LAYER), "b");
        Path optimizer = folder.resolve("optimizer.safetensors");
        Slot slot = state.kept().get(0);
        Safetensors.stream(optimizer, List.of(state.stream(slot)), Map.of());
        state.clear(AdapterState.PARAMS);
        Map<String, AdaptedLayer> read = PeftFormat.read(folder, List.of(LAYER));
        ReadBack.require(folder, read, adapters, counted);
        TensorEntry entry = Safetensors.read(optimizer).tensors().get(AdapterState.PARAMS);
        state.restore(slot, entry);
        assertThat(
                state
                    .numbers(AdapterState.PARAMS)
                    .areLike(counted, (x, y) -> Float.compare(x, y) == 0))
            .isTrue();
        float[] row = new float[4096];
        WholeMethod.INSTANCE.merge(read.get(LAYER.path()), 131_999, row);
        assertThat(row[4095]).isEqualTo(Counted.at(132_000L * 4096 - 1));
      }
    }
  }
}
