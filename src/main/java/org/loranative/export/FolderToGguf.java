package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.io.DType;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.model.llm.GgufDescription;
import org.loranative.model.llm.GgufNames;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Reading;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.GgufVocabulary;
import org.loranative.text.Tokenizer;
import org.loranative.track.Phase;

/** A Hugging Face folder's language model as a GGUF file; towers beside it are left out. */
record FolderToGguf(LlmBase base) {
  /** Of GGUF's names of what chooses experts, which llama.cpp's converter leaves in f32. */
  private static final String ROUTER = ".ffn_gate_inp";

  void write(
      MergedTensors merged,
      RegroupedTensors regrouped,
      TypeChoice choice,
      Optional<AdapterTemplate> template,
      Path out)
      throws IOException {
    GgufMetadata metadata = new GgufMetadata();
    GgufDescription description = new GgufDescription(base);
    description.describe(metadata, out.getFileName().toString().replace(".gguf", ""));
    metadata.uint32("general.file_type", TypeChoice.ggufFileType(choice.ofMatrices(base)));
    try (Tokenizer tokenizer = base.tokenizer()) {
      template.ifPresent(t -> t.giveAloud(tokenizer, base.path()));
      new GgufVocabulary(base.path(), tokenizer).describe(metadata, base.config().vocab());
    }
    description.requireSaid(metadata);
    List<TensorStream> tensors = new ArrayList<>();
    description
        .factors()
        .forEach(
            (name, numbers) ->
                tensors.add(TensorStream.f32(name, List.of((long) numbers.length), numbers)));
    List<TensorStream> own = new ArrayList<>(regrouped.inGguf());
    for (String name : base.tensorNames()) {
      if (!regrouped.holds(name)) {
        own.add(tensor(merged, choice, name));
      }
    }
    Phase phase = new Phase("tensors written", own.size());
    own.forEach(tensor -> tensors.add(Merge.followed(tensor, phase)));
    GgufWriter.write(out, metadata, tensors);
  }

  private TensorStream tensor(MergedTensors merged, TypeChoice choice, String name) {
    Reading reading = base.weights().reading(name);
    TensorEntry entry = reading.entry();
    GgufNames names = base.ggufNames();
    Form form =
        new Form(
            names.rows(name, entry.shape().get(0)).back(),
            names.columns(name).back(),
            reading.formula().isPlain() ? names.formula(name).back() : reading.formula());
    Optional<DType> type =
        names.of(name).contains(ROUTER) ? Optional.of(DType.F32) : choice.of(entry);
    return inItsShape(merged.stream(entry, names.of(name), type, form));
  }

  /** Without sides of 1, as that of a convolution's one channel. */
  private static TensorStream inItsShape(TensorStream tensor) {
    List<Long> shape =
        tensor.shape().size() < 3
            ? tensor.shape()
            : tensor.shape().stream().filter(side -> side != 1).toList();
    return new TensorStream(tensor.name(), tensor.type(), shape, tensor.bytes(), tensor.content());
  }
}
