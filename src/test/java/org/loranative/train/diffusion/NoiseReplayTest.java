package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowShift;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;

class NoiseReplayTest {
  @TempDir Path folder;

  private static Safetensors.Tensor floats(String name, List<Long> shape, float... numbers) {
    ByteBuffer data = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(numbers);
    return new Safetensors.Tensor(name, DType.F32, shape, data);
  }

  private NoiseReplay replay(Safetensors.Tensor... times) throws Exception {
    List<Safetensors.Tensor> tensors = new ArrayList<>(List.of(times));
    tensors.add(floats("noise", List.of(1L, 2L, 1L, 1L, 1L), 0.5f, -1));
    Path file = folder.resolve("noise.safetensors");
    Safetensors.write(file, tensors, Map.of());
    return new NoiseReplay(file);
  }

  @Test
  void sigmasAreTimestepsOfFlowMatching() throws Exception {
    FlowMatching flow =
        new FlowMatching(
            1000, new FlowShift.Constant(3), FlowSpacing.TRAINED, TimestepSampling.LOGIT_NORMAL);
    NoiseReplay replay = replay(floats("sigmas", List.of(1L, 2L), 0.25f, 1));
    assertThat(replay.timestep(0, 0, flow)).isEqualTo(250);
    assertThat(replay.timestep(0, 1, flow)).isEqualTo(1000);
    assertThat(replay.noise(0, 2)).containsExactly(0.5f, -1);
  }

  /** Timesteps written as sigmas would train on nonsense. */
  @Test
  void sigmasBeyondTheirRangeAreRefused() {
    for (float sigma : new float[] {250, -0.1f, Float.NaN}) {
      assertThatThrownBy(() -> replay(floats("sigmas", List.of(1L, 2L), 0.5f, sigma)))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("from 0 to 1");
    }
  }

  @Test
  void bothAreRefused() {
    assertThatThrownBy(
            () ->
                replay(
                    floats("sigmas", List.of(1L, 2L), 0.5f, 0.5f),
                    floats("timesteps", List.of(1L, 2L), 1, 2)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds both");
  }
}
