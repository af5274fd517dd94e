package org.loranative.model.diffusion.families.stable;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The orders that A1111's LoRA Block Weight documents. */
class UnetBlocksTest {
  private static UnetBlocks of(boolean[] attends) {
    List<UnetConfig.Level> levels =
        IntStream.range(0, attends.length)
            .mapToObj(i -> new UnetConfig.Level(320, 2, 8, 1, attends[i], attends[i]))
            .toList();
    return new UnetBlocks(
        new UnetConfig(4, 4, 768, 32, 1e-5f, true, 0, 0, 0, List.of(64, 64), levels));
  }

  @Test
  void stableDiffusion1() {
    UnetBlocks blocks = of(new boolean[] {true, true, true, false});
    assertThat(String.join(",", blocks.orders().get(0)))
        .isEqualTo(
            "BASE,IN01,IN02,IN04,IN05,IN07,IN08,M00,OUT03,OUT04,OUT05,OUT06,OUT07,OUT08,OUT09,"
                + "OUT10,OUT11");
    assertThat(blocks.orders().get(1)).hasSize(26);
    assertThat(blocks.block("unet.down_blocks.1.attentions.1.proj_in")).isEqualTo("IN05");
    assertThat(blocks.block("unet.up_blocks.3.attentions.2.proj_in")).isEqualTo("OUT11");
    assertThat(blocks.block("text_encoder.encoder.layers.0.mlp.fc1")).isEqualTo("BASE");
  }

  @Test
  void stableDiffusionXl() {
    UnetBlocks blocks = of(new boolean[] {false, true, true});
    assertThat(String.join(",", blocks.orders().get(0)))
        .isEqualTo("BASE,IN04,IN05,IN07,IN08,M00,OUT00,OUT01,OUT02,OUT03,OUT04,OUT05");
    assertThat(blocks.orders().get(1)).hasSize(20);
  }
}
