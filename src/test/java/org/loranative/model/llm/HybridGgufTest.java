package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.TensorStream;
import org.loranative.model.weights.Order;
import org.loranative.model.weights.StoredRows;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** What GGUF files say of recurrent layers and shared experts, and what of it is refused. */
@ExtendWith(Seeded.class)
class HybridGgufTest {
  @TempDir Path folder;

  private Path changed(String model, String key, List<Long> value) throws Exception {
    Path from = Golden.FOLDER.resolve(model).resolve("base.gguf");
    GgufMetadata metadata = Gguf.metadata(from).without(key);
    value.forEach(n -> metadata.uint32(key, n));
    Path file = folder.resolve("changed.gguf");
    List<TensorStream> tensors = new ArrayList<>();
    Gguf.read(from)
        .tensors()
        .values()
        .forEach(
            e ->
                tensors.add(
                    new TensorStream(
                        e.name(), e.type(), e.shape(), e.bytes(), out -> StoredRows.copy(e, out))));
    GgufWriter.write(file, metadata, tensors);
    return file;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "qwen3-5-turns | qwen35.ssm.group_count | 3 | 8 value heads of width 32 over 3 key heads",
        "qwen3-5-turns | qwen35.ssm.group_count | 0 | qwen35.ssm.group_count is 0, but must be",
        "qwen3-5-turns | qwen35.ssm.group_count | 4 | but its config needs",
        "qwen3-5-turns | qwen35.ssm.time_step_rank | 7 | must be a multiple of the second",
        "qwen3-5-turns | qwen35.ssm.time_step_rank | 0 | must be a multiple of the second",
        "qwen3-5-turns | qwen35.ssm.state_size | 4000000000 | qwen35.ssm.state_size is 4000000000",
        "qwen3-5-turns | qwen35.ssm.state_size | 512 | heads of at most",
        "qwen3-5-turns | qwen35.ssm.inner_size | 1024 | but its config needs",
        "qwen3-5-turns | qwen35.nextn_predict_layers | 9 | qwen35.block_count is -",
        "qwen3-5-turns | qwen35.block_count | 3 | qwen35.block_count is 3, but the file holds blk.",
        "qwen3-5-turns | qwen35.rope.dimension_count | 0 | qwen35.rope.dimension_count lets 0",
        "qwen3-5-turns | qwen35.rope.dimension_count | 7 | must be an even number",
        "qwen3-5-turns | qwen35.rope.dimension_count | 4000 | qwen35.rope.dimension_count lets 4000",
        "qwen3-next-turns | qwen3next.ssm.group_count | 4 | but its config needs"
      })
  void badNumbersAreRefused(String model, String key, long value, String says) throws Exception {
    Path file = changed(model, key, List.of(value));
    assertThatThrownBy(() -> LlmBase.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(says);
  }

  @ParameterizedTest
  @CsvSource({
    "qwen35.ssm.conv_kernel",
    "qwen35.ssm.state_size",
    "qwen35.ssm.group_count",
    "qwen35.ssm.time_step_rank",
    "qwen35.ssm.inner_size"
  })
  void missingNumbersAreRefused(String key) throws Exception {
    Path file = changed("qwen3-5-turns", key, List.of());
    assertThatThrownBy(() -> LlmBase.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(key);
  }

  /** Files of 2025 do not list the layers. */
  @Test
  void layersGoByTheirPeriodWhereNoneAreListed() throws Exception {
    Path file = changed("qwen3-5-moe-turns", "qwen35moe.attention.recurrent_layers", List.of());
    assertThatThrownBy(() -> LlmBase.open(file)) // its fourth layer alone would attend
        .isInstanceOf(UserException.class)
        .hasMessageContaining("blk.1.attn_qkv.weight");
  }

  /** Files of 2024 leave the widths of experts out. */
  @ParameterizedTest
  @CsvSource({"qwen2moe.expert_feed_forward_length", "qwen2moe.expert_shared_feed_forward_length"})
  void widthsOfExpertsMayBeUnsaid(String key) throws Exception {
    LlmBase whole = LlmBase.open(Golden.FOLDER.resolve("qwen2-moe/base.gguf"));
    LlmBase base = LlmBase.open(changed("qwen2-moe", key, List.of()));
    assertThat(base.config().layers()).isEqualTo(whole.config().layers());
  }

  /** Three groups of two heads, 0 1 | 2 3 | 4 5, stand as 0 2 4 | 1 3 5. */
  @Test
  void headsInTurns() {
    Order order = new Order.Tiled(2, 3, 2, 2);
    long[] file = {0, 1, 2, 3, 8, 9, 4, 5, 10, 11, 6, 7, 12, 13};
    for (int i = 0; i < file.length; i++) {
      assertThat(order.inFile(i)).isEqualTo(file[i]);
      assertThat(order.ours(file[i])).isEqualTo(i);
      assertThat(order.back().inFile(file[i])).isEqualTo(i);
      assertThat(order.together(i)).isEqualTo(2 - i % 2);
    }
    assertThat(order.keepsBlocks(2)).isTrue();
    assertThat(order.keepsBlocks(4)).isFalse();
  }

  /** Every order and its way back. */
  @Test
  void ordersTurnBack(Random random) {
    long groups = 1 + random.nextInt(4);
    long each = 1 + random.nextInt(4);
    long width = 2 * (1 + random.nextInt(4));
    long first = random.nextInt(8);
    List<Order> orders =
        List.of(
            Order.SAME, new Order.Interleaved(width), new Order.Tiled(first, groups, each, width));
    for (Order order : orders) {
      for (long i = 0; i < groups * each * width; i++) {
        assertThat(order.ours(order.inFile(i))).isEqualTo(i);
        assertThat(order.back().ours(order.back().inFile(i))).isEqualTo(i);
      }
    }
  }
}
