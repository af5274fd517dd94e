package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.model.llm.GgufNames;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.GgufVocabulary;
import org.loranative.text.Tokenizer;

/** A language model with adapters merged in, as a Hugging Face folder or a GGUF file. */
public final class LanguageMerge implements Merge {
  private final LlmBase base;
  private final Map<String, AdaptedLayer> layers;
  private final Optional<AdapterTemplate> template;

  public LanguageMerge(LlmBase base, List<AdapterSource> adapters) {
    this.base = base;
    layers = Merge.layers(AdapterSource.mix(adapters, new AdapterBase.Language(base)));
    template = AdapterTemplate.of(adapters.stream().map(AdapterSource::path).toList());
  }

  @Override
  public void write(Path out, String type) throws IOException {
    Merge.requireNew(out);
    String name = out.getFileName().toString();
    if (name.endsWith(".safetensors")) {
      throw new UserException(
          "--out is "
              + out
              + ", but a language model is written as a folder or as a file that ends in .gguf.");
    }
    boolean gguf = name.endsWith(".gguf");
    if (gguf && !base.added().isEmpty()) {
      throw new UserException(
          String.format(
              "The adapter adds tokens (%s), which merge writes into a folder alone: name one with"
                  + " --out, and convert it with llama.cpp's convert_hf_to_gguf.py.",
              String.join(", ", base.added().texts().stream().map(t -> '"' + t + '"').toList())));
    }
    TypeChoice choice = TypeChoice.of(type, gguf);
    boolean apart = gguf != base.isGguf() || changesPacked();
    try (MergedTensors merged = new MergedTensors(base.weights(), apart ? others() : layers);
        RegroupedTensors regrouped = new RegroupedTensors(base, layers, choice)) {
      if (gguf) {
        writeGguf(merged, regrouped, choice, out);
      } else {
        AtomicFolders.write(out, folder -> writeFolder(merged, regrouped, choice, folder));
      }
    }
  }

  /** Whether an adapter changes experts that a folder holds packed. */
  private boolean changesPacked() {
    return layers.keySet().stream().anyMatch(path -> base.weights().isPacked(path + ".weight"));
  }

  /** Adapted layers that are the same tensors in every kind of file. */
  private Map<String, AdaptedLayer> others() {
    Map<String, AdaptedLayer> others = new LinkedHashMap<>(layers);
    others.values().removeIf(layer -> GgufNames.isRegrouped(layer.target()));
    return others;
  }

  private void writeGguf(
      MergedTensors merged, RegroupedTensors regrouped, TypeChoice choice, Path out)
      throws IOException {
    if (!base.isGguf()) {
      new FolderToGguf(base).write(merged, regrouped, choice, template, out);
      return;
    }
    GgufMetadata metadata = Gguf.metadata(base.path());
    choice
        .chosen()
        .ifPresent(t -> metadata.uint32("general.file_type", TypeChoice.ggufFileType(t)));
    template.ifPresent(t -> metadata.string(GgufVocabulary.CHAT_TEMPLATE, t.jinja()));
    GgufWriter.write(
        out, metadata, Merge.all(merged, base.weights(), base.file().tensors(), choice));
  }

  private void writeFolder(
      MergedTensors merged, RegroupedTensors regrouped, TypeChoice choice, Path folder)
      throws IOException {
    if (base.isGguf()) {
      new GgufToFolder(base).write(merged, regrouped, choice, template, folder);
      return;
    }
    ModelFolder.copyRest(base.path(), folder);
    boolean more = !base.added().isEmpty();
    if (template.isPresent() || more) {
      try (Tokenizer tokenizer = base.tokenizer()) {
        boolean other = template.map(t -> t.giveAloud(tokenizer, base.path())).orElse(false);
        if (other || more) {
          base.writeTokenizer(tokenizer, folder);
        }
      }
    }
    OptionalInt vocab = more ? OptionalInt.of(base.config().vocab()) : OptionalInt.empty();
    boolean unpacked = changesPacked();
    new FolderConfig(base.path())
        .write(folder, choice.chosen(), vocab, unpacked || base.weights().isQuantized());
    Map<String, TensorEntry> file = base.file().tensors();
    List<TensorStream> tensors = new ArrayList<>();
    if (unpacked) {
      tensors.addAll(regrouped.inFolder());
      file = new LinkedHashMap<>(base.weights().unpacked(file));
      tensors.stream().map(TensorStream::name).forEach(file::remove); // the experts' biases
    }
    tensors.addAll(Merge.all(merged, base.weights(), file, choice));
    ShardedFile.write(folder, "model", tensors, SHARD);
  }
}
