package org.loranative.train.llm;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.ShellWord;
import org.loranative.config.LoraTarget;
import org.loranative.config.TrainConfig;
import org.loranative.data.llm.Example;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.lora.InitAdapter;
import org.loranative.lora.PeftFormat;
import org.loranative.model.Placement;
import org.loranative.model.llm.Generator;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.text.NewTokens;
import org.loranative.text.Tokenizer;
import org.loranative.train.LoraSpecs;
import org.loranative.train.Previews;
import org.loranative.train.Task;
import org.loranative.train.Training;

/** Fine-tuning a language model. */
public final class LlmTraining implements Training<List<Example>> {
  private final TrainConfig config;
  private final Device device;
  private final DType compute;
  private final LlmBase base;
  private final Tokenizer tokenizer;
  private final Adapters adapters;
  private Optional<LlmTask> task = Optional.empty();

  public LlmTraining(TrainConfig config, Device device, DType compute) {
    this.config = config;
    this.device = device;
    this.compute = compute;
    base = LlmBase.open(Path.of(config.baseModel())).adding(new NewTokens(config.addTokens()));
    base.quantize(Quantize.named(config.quantize()));
    tokenizer = RunTokenizer.open(config, base);
    boolean opened = false;
    try {
      base.requireAdaptable(config.loraTargets().stream().map(LoraTarget::target).toList());
      adapters =
          LoraSpecs.adapters(
              config,
              base.targets(),
              base.trainedWhole().named(config.modulesToSave()),
              base.blocks(),
              (name, layers) -> base.layersCalled(name));
      opened = true;
    } finally {
      if (!opened) {
        tokenizer.close();
      }
    }
  }

  @Override
  public Task<List<Example>> task() {
    return opened();
  }

  private LlmTask opened() {
    if (task.isEmpty()) {
      task = Optional.of(new LlmTask(base, tokenizer, adapters, compute, config));
    }
    return task.get();
  }

  @Override
  public Adapters adapters() {
    return adapters;
  }

  @Override
  public Weights weights() {
    return base.weights();
  }

  @Override
  public long preparationBytes() {
    return 0;
  }

  @Override
  public long preparedBytes() {
    return 0; // texts are encoded already
  }

  @Override
  public void prepare() {}

  @Override
  public Map<String, float[]> constants() {
    return base.constants();
  }

  @Override
  public Numbers readAdapter(Path path) {
    base.requireTokensOf(path);
    return InitAdapter.of(path, PeftFormat.read(path, base.adaptable()), adapters, config.seed());
  }

  @Override
  public List<Graph> previewGraphs() {
    return config.sampleSteps() > 0
        ? Generator.graphs(base, adapters, compute, AnswerPreviews.contextTokens(config))
        : List.of();
  }

  @Override
  public long previewBytes() {
    return config.sampleSteps() > 0 ? Generator.cacheBytes(previewGraphs()) : 0;
  }

  @Override
  public String trial(Path adapter) {
    return String.format(
        "lora-native generate --base %s --adapter %s --prompt \"…\"%s",
        ShellWord.of(config.baseModel()), ShellWord.of(adapter), opened().isRaw() ? " --raw" : "");
  }

  @Override
  public Optional<Previews> previews(Placement placement, Memory arena) {
    return config.sampleSteps() > 0
        ? Optional.of(
            new AnswerPreviews(
                config, base, tokenizer, adapters, device, compute, placement, arena))
        : Optional.empty();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
