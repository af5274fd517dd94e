package org.loranative.train.llm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.loranative.config.TrainConfig;
import org.loranative.data.llm.Batches;
import org.loranative.data.llm.Example;
import org.loranative.graph.Graph;
import org.loranative.io.AtomicFolders;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.lora.PeftFormat;
import org.loranative.lora.ReadBack;
import org.loranative.model.Objective;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.text.Tokenizer;
import org.loranative.train.BatchShape;
import org.loranative.train.Task;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fine-tuning a language model on text; a batch is a packed row of examples. */
final class LlmTask implements Task<List<Example>> {
  private static final Logger log = LoggerFactory.getLogger(LlmTask.class);

  /** Training records that are measured again and again. */
  private static final int PROBED = 16;

  /** Held-out records that are measured with one another's answers too. */
  private static final int EXCHANGED = 32;

  /** A packed row. */
  private record Row(int tokens) implements BatchShape {
    @Override
    public String toString() {
      return tokens + " tokens";
    }
  }

  private final LlmBase base;
  private final Tokenizer tokenizer;
  private final Adapters adapters;
  private final DType compute;
  private final TrainConfig config;
  private final List<Example> examples;
  private final List<Example> held;
  private final boolean raw;
  private final Batches batches;
  private final LlmProbe probe;
  private final LlmProbe heldProbe;
  private final Objective<LlmGraph.Head> objective = new SupervisedObjective();
  private final int maxDocument;

  LlmTask(LlmBase base, Tokenizer tokenizer, Adapters adapters, DType compute, TrainConfig config) {
    this.base = base;
    this.tokenizer = tokenizer;
    this.adapters = adapters;
    this.compute = compute;
    this.config = config;
    TextData data = TextData.of(config, tokenizer);
    examples = data.training();
    held = data.held();
    raw = data.raw();
    List.of(examples, held).forEach(list -> PackedRow.requireIds(base, list));
    batches = new Batches(examples, batching(config.shuffle()));
    probe = LlmProbe.of(examples, PROBED, config.maxLength());
    heldProbe = LlmProbe.of(held, EXCHANGED, config.maxLength());
    int longest = 1;
    for (List<Example> list : List.of(examples, held, probe.swapped(), heldProbe.swapped())) {
      longest = Math.max(longest, list.stream().mapToInt(Example::length).max().orElse(1));
    }
    maxDocument = (longest + 31) / 32 * 32;
  }

  private Batches.Limits batching(boolean shuffle) {
    return new Batches.Limits(
        config.batchSize(), config.packing(), config.maxLength(), shuffle, config.seed());
  }

  /** Whether no chat template was used, so that prompts must do without it too. */
  boolean isRaw() {
    return raw;
  }

  @Override
  public List<List<Example>> epoch(int epoch) {
    return batches.epoch(epoch);
  }

  @Override
  public List<EvaluationSet<List<Example>>> evaluationSets() {
    Map<String, List<Example>> sets = new LinkedHashMap<>();
    sets.put("val", held);
    sets.put("probe", probe.records());
    sets.put("swapped", probe.swapped());
    sets.put("val_swapped", heldProbe.swapped());
    return sets.entrySet().stream()
        .filter(set -> !set.getValue().isEmpty())
        .map(set -> new EvaluationSet<>(set.getKey(), "", inOrder(set.getValue())))
        .toList();
  }

  private List<List<Example>> inOrder(List<Example> some) {
    return new Batches(some, batching(false)).epoch(0);
  }

  @Override
  public Objective<?> objective() {
    return objective;
  }

  /** What rounding adds to a row lies behind them. */
  @Override
  public List<Record> records(List<Example> batch) {
    return batch.stream()
        .map(s -> new Record(s.source().toString(), s.length(), s.labelled()))
        .toList();
  }

  /** The token that is learnt there. */
  @Override
  public Optional<String> item(String record, int item) {
    return examples.stream()
        .filter(s -> s.source().toString().equals(record) && item < s.length())
        .filter(s -> s.labels()[item] >= 0)
        .map(s -> tokenizer.decode(new int[] {s.labels()[item]}))
        .findFirst();
  }

  @Override
  public List<Piece> pieces(String record, int items) {
    return examples.stream()
        .filter(s -> s.length() == items && s.source().toString().equals(record))
        .findFirst()
        .map(s -> Pieces.of(s, tokenizer))
        .orElse(List.of());
  }

  @Override
  public Map<String, Object> facts() {
    return LlmFacts.of(examples, held, base.config().vocab(), tokenizer::decode);
  }

  @Override
  public int measureEvery(int total) {
    return config.saveSteps();
  }

  /** Tokens rounded up so that a run meets a handful of shapes, at a waste of about 3 %. */
  @Override
  public Row shape(List<Example> batch) {
    int tokens = Batches.tokens(batch);
    int step = Math.max(32, Integer.highestOneBit(tokens) / 16);
    return new Row((tokens + step - 1) / step * step);
  }

  @Override
  public long labelled(List<Example> batch) {
    return Batches.labelled(batch);
  }

  @Override
  public long units(List<Example> batch) {
    return Batches.tokens(batch);
  }

  @Override
  public Graph trainingGraph(List<Example> batch) {
    int tokens = shape(batch).tokens();
    return LlmGraph.training(base, adapters, compute, objective, tokens, maxDocument);
  }

  @Override
  public Graph evaluationGraph(List<Example> batch) {
    int tokens = shape(batch).tokens();
    return LlmGraph.evaluation(base, adapters, compute, objective, tokens, maxDocument);
  }

  @Override
  public void fill(List<Example> batch, Function<String, ByteBuffer> inputs) {
    PackedRow row = PackedRow.of(batch, shape(batch).tokens(), maxDocument);
    row.inputs().forEach((name, values) -> inputs.apply(name).asIntBuffer().put(values));
  }

  @Override
  public String fingerprint() {
    String template =
        config.chatTemplate().isEmpty() ? "" : tokenizer.chatTemplate().orElseThrow().source();
    String kwargs = config.templateKwargs().isEmpty() ? "" : config.templateKwargs().toString();
    String tokens = config.addTokens().isEmpty() ? "" : config.addTokens().toString();
    return fingerprint(examples, template + kwargs + tokens);
  }

  @Override
  public String measuredFingerprint() {
    return fingerprint(held, "");
  }

  /**
   * @param template what the run says of it and of tokens; "" for nothing, as older versions have
   *     it
   */
  private static String fingerprint(List<Example> some, String template) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Example s : some) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < s.length(); i++) {
          text.append(s.ids()[i]).append(s.labels()[i] < 0 ? '-' : '+');
        }
        digest.update(text.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
      }
      digest.update(template.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Path export(Path folder, Numbers params) throws IOException {
    PeftFormat.write(folder, adapters, params, base.targetsAndOthers(), config.baseModel());
    base.writeTokenizer(tokenizer, folder);
    return folder;
  }

  @Override
  public Path finish(Path outputDir, Numbers params) throws IOException {
    Path folder = outputDir.resolve("adapter");
    AtomicFolders.write(
        folder,
        partial -> {
          export(partial, params);
          ReadBack.require(folder, PeftFormat.read(partial, base.adaptable()), adapters, params);
        });
    log.info("{}: read back, as it was trained", folder);
    return folder;
  }

  @Override
  public String unit() {
    return "tokens";
  }

  @Override
  public String smallerBatch(double share) {
    int batch = (int) (config.batchSize() * share);
    if (batch >= 1) {
      return String.format(
          "batch_size: %d with gradient_accumulation: %d",
          batch, config.gradientAccumulation() * ((config.batchSize() + batch - 1) / batch));
    }
    int length = Math.max(32, (int) (maxDocument * config.batchSize() * share) / 32 * 32);
    return String.format("batch_size: 1 with max_length: %d", length);
  }
}
