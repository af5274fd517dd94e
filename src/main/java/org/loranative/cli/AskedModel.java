package org.loranative.cli;

import java.nio.file.Path;
import java.util.List;
import org.loranative.export.AdapterSource;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A language model that is asked: its base, its adapters, and where it computes. */
final class AskedModel {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "Hugging Face folder or .gguf file.")
  private Path base;

  @Mixin private AdapterOptions adapters;

  @Mixin private MachineOptions machine;

  Path base() {
    return base;
  }

  List<AdapterSource> sources() {
    return adapters.sources();
  }

  /**
   * Where it computes.
   *
   * @throws org.loranative.UserException if there is no such place
   */
  Machine machine() {
    return machine.machine();
  }

  Answers open() {
    Bases.require(base, "a Hugging Face folder or a .gguf file");
    return new Answers(base, sources(), machine());
  }
}
