package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Weights;

/** A base as those see it who read, change and write its adapters. */
public sealed interface AdapterBase {
  /** Layers that can be adapted. */
  List<Adapters.Target> targets();

  Weights weights();

  /** An adapter's layers by path, of any format that is read. */
  Map<String, AdaptedLayer> read(Path adapter);

  /**
   * What block weights mean for these.
   *
   * @throws UserException if they mean nothing
   */
  ToDoubleFunction<String> weights(BlockWeights blocks);

  /** The format that adapters of such bases are trained in. */
  String usualFormat();

  /**
   * Writes an adapter.
   *
   * @param format its name
   * @param source whose metadata is kept
   * @throws UserException if there is no such format, or it cannot hold the adapter
   */
  void write(String format, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
      throws IOException;

  /** Refuses a name that is no format of these, and a file that is not called as one of it. */
  void requireFormat(String format, Path out);

  /** A language model. */
  record Language(LlmBase base) implements AdapterBase {
    private static final String OF = "language models";

    @Override
    public List<Adapters.Target> targets() {
      return base.adaptable();
    }

    @Override
    public Weights weights() {
      return base.weights();
    }

    @Override
    public Map<String, AdaptedLayer> read(Path adapter) {
      return LanguageAdapters.read(adapter, base);
    }

    @Override
    public ToDoubleFunction<String> weights(BlockWeights blocks) {
      if (!blocks.isNone()) {
        throw new UserException("--block-weights is for adapters of diffusion models.");
      }
      return path -> 1;
    }

    @Override
    public String usualFormat() {
      return "peft";
    }

    @Override
    public void write(
        String format, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      AdapterFormat.named(format, LanguageFormats.all(), OF).write(base, source, layers, out);
    }

    @Override
    public void requireFormat(String format, Path out) {
      AdapterFormat.named(format, LanguageFormats.all(), OF).requireName(out);
    }
  }

  /** A diffusion model. */
  record Diffusion(DiffusionBase base) implements AdapterBase {
    private static final String OF = "diffusion models";

    @Override
    public List<Adapters.Target> targets() {
      return base.layers().targets();
    }

    @Override
    public Weights weights() {
      return base.weights();
    }

    @Override
    public Map<String, AdaptedLayer> read(Path adapter) {
      return LoraFiles.read(adapter, base.layers());
    }

    @Override
    public ToDoubleFunction<String> weights(BlockWeights blocks) {
      return blocks.in(base.family().blocks());
    }

    @Override
    public String usualFormat() {
      return "kohya";
    }

    @Override
    public void write(
        String format, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      AdapterFormat.named(format, DiffusionFormats.all(), OF).write(base, source, layers, out);
    }

    @Override
    public void requireFormat(String format, Path out) {
      AdapterFormat.named(format, DiffusionFormats.all(), OF).requireName(out);
    }
  }
}
