package org.loranative.cli;

import java.nio.file.Path;
import java.util.List;
import org.loranative.export.AdapterSource;
import org.loranative.export.BlockWeights;
import picocli.CommandLine.Option;

/** Adapters that are applied together. */
final class AdapterOptions {
  @Option(
      names = "--adapter",
      paramLabel = "PATH",
      description =
          "Of a language model: a PEFT folder, such as output_dir/adapter or a checkpoint, or a"
              + " GGUF file as llama.cpp loads it. Of a diffusion model: a file in kohya's or"
              + " diffusers' format, or a PEFT folder. Several may be given.")
  private List<Path> adapters = List.of();

  @Option(
      names = "--scale",
      paramLabel = "X",
      description =
          "How much of each --adapter, in their order; 1 where none is given, negative takes away.")
  private List<Double> scales = List.of();

  @Option(
      names = "--block-weights",
      paramLabel = "LIST",
      description =
          "How much of each block of each --adapter of a diffusion model, such as 1,0,0,0.5,...: 17"
              + " numbers of SD 1 and 2, 12 of XL for blocks with attention; 26 or 20 for all.")
  private List<String> blocks = List.of();

  List<AdapterSource> sources() {
    return AdapterSource.of(adapters, scales, blocks.stream().map(BlockWeights::of).toList());
  }
}
