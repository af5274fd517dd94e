package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.ChildJava;

/**
 * What the emulator counts of the hot kernels' memory accesses, from the addresses of each warp: no
 * two lanes meet in a bank of shared memory, and device memory is read in whole sectors.
 */
class TrafficTest {
  private static final String HOT =
      "(tensor_gemm|tensor_conv|block_gemm|head_gemm|tiled_attention)_.*";

  @Test
  @Tag("slow")
  void hotKernelsHaveNoBankConflictsAndReadWholeSectors(@TempDir Path temp) throws Exception {
    Map<String, long[]> counts = run(temp.resolve("traffic.csv"));
    List<String> hot = counts.keySet().stream().filter(k -> k.matches(HOT)).toList();
    for (String family :
        List.of(
            "tensor_gemm_nt_large",
            "tensor_gemm_nn_small",
            "tensor_gemm_pair",
            "tensor_conv_fwd_small",
            "tensor_conv_bwd_small",
            "block_gemm_nt_large",
            "block_gemm_nn_small",
            "head_gemm",
            "tiled_attention_fwd_64",
            "tiled_attention_dkv_160",
            "tiled_attention_dq_256")) {
      assertThat(hot).as("kernels that ran").anyMatch(k -> k.startsWith(family));
    }
    assertThat(counts.keySet())
        .as("kernels of docs/kernels.md")
        .contains("dora_norm_bf16", "hadamard_bwd", "kronecker_first", "prodigy_moments")
        .contains("schedule_free_adamw", "adafactor", "came", "lion", "adamw8bit");
    for (String kernel : hot) {
      long[] c = counts.get(kernel);
      assertThat(c[0]).as(kernel + ": accesses of shared memory").isPositive();
      assertThat(c[1]).as(kernel + ": bank conflicts").isZero();
      // Blocks of 18 to 210 bytes begin within a sector and are read 2 or 4 bytes at a time: the
      // first such request brings what the others find in the cache; NF4 is read 16 bytes at a
      // time. Documents are looked up a number at a time.
      double excess = (double) c[3] / c[4];
      double most = !kernel.startsWith("block_gemm") ? 1.1 : kernel.contains("nf4") ? 1.6 : 9;
      assertThat(excess).as(kernel + ": sectors read for each that is needed").isLessThan(most);
    }
  }

  /** The columns of the file, by kernel. */
  private static Map<String, long[]> run(Path csv) throws IOException, InterruptedException {
    ProcessBuilder process =
        new ProcessBuilder(ChildJava.command(List.of(), "org.loranative.graph.ops.TrafficRun"));
    process.environment().put("LN_EMU_TRAFFIC", csv.toString());
    Path log = csv.resolveSibling("log.txt");
    int code = process.redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
    assertThat(code).as(Files.readString(log)).isZero();
    Map<String, long[]> counts = new TreeMap<>();
    for (String line : Files.readAllLines(csv)) {
      String[] cells = line.split(",");
      if (!cells[0].equals("kernel")) {
        List<Long> numbers = new ArrayList<>();
        for (int i = 1; i < cells.length; i++) {
          numbers.add(Long.parseLong(cells[i]));
        }
        counts.put(cells[0], numbers.stream().mapToLong(Long::longValue).toArray());
      }
    }
    return counts;
  }
}
