package org.loranative.config;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.loranative.UserException;

/**
 * A run's settings: one component for each key of the {@link Catalogue}, whose name in YAML is in
 * snake case. {@link ConfigReader} reads and checks it and fills in the defaults. Paths that may be
 * absent are "".
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.ALWAYS)
public record TrainConfig(
    String taskType,
    String baseModel,
    String metadataPath,
    String trainDataDir,
    String dataFormat,
    String validationPath,
    Double validationFraction,
    String trainOn,
    String chatTemplate,
    Map<String, Object> templateKwargs,
    String templateDate,
    Integer maxLength,
    Boolean packing,
    Boolean shuffle,
    Integer resolution,
    String tokenizerPath,
    List<String> textEncoderPath,
    String vaePath,
    String predictionType,
    Boolean zeroSnr,
    Integer clipSkip,
    String regularizationPath,
    Double priorLossWeight,
    Integer repeats,
    String triggerWord,
    String captionEncoding,
    Boolean shuffleCaption,
    Integer keepTokens,
    Boolean flip,
    Boolean randomCrop,
    String background,
    Boolean masked,
    Double unmaskedWeight,
    Boolean strictData,
    Boolean cacheEncodings,
    String cacheDir,
    Double minSnrGamma,
    Double noiseOffset,
    Integer multiresNoiseIterations,
    Double multiresNoiseDiscount,
    String noiseReplay,
    Integer minTimestep,
    Integer maxTimestep,
    String loss,
    Double huberC,
    Boolean debiasedEstimation,
    String timestepSampling,
    Double flowShift,
    String lossWeighting,
    Double guidanceEmbed,
    Double captionDropout,
    String loraMethod,
    Integer lokrFactor,
    String loraInit,
    Double loraPlusRatio,
    Integer loraRank,
    Double loraAlpha,
    Double loraDropout,
    List<LoraTarget> loraTargets,
    String blocks,
    Boolean useRslora,
    List<String> modulesToSave,
    List<String> addTokens,
    String initAdapter,
    Integer batchSize,
    Integer gradientAccumulation,
    Integer epochs,
    Integer maxSteps,
    String optimizer,
    Double learningRate,
    String lrSchedule,
    Integer warmupSteps,
    Integer lrCycles,
    Double lrPower,
    Double weightDecay,
    Double adamBeta1,
    Double adamBeta2,
    Double adamEpsilon,
    Double maxGradNorm,
    Double emaDecay,
    Long seed,
    String device,
    String computeDtype,
    String quantize,
    Integer threads,
    String memoryBudget,
    String outputDir,
    String outputName,
    String exportFormat,
    Integer saveSteps,
    Integer keepCheckpoints,
    Integer evalSteps,
    Integer earlyStop,
    String onDivergence,
    Integer maxRollbacks,
    Integer sampleSteps,
    List<String> samplePrompts,
    Integer sampleMaxTokens) {

  /** What {@code on_divergence} may say. */
  public static final String STOP = "stop";

  public static final String ROLLBACK = "rollback";

  public TrainConfig {
    textEncoderPath = List.copyOf(textEncoderPath);
    loraTargets = List.copyOf(loraTargets);
    modulesToSave = List.copyOf(modulesToSave);
    addTokens = List.copyOf(addTokens);
    templateKwargs = Collections.unmodifiableMap(new TreeMap<>(templateKwargs));
    samplePrompts = List.copyOf(samplePrompts);
  }

  /** What is trained. */
  public TaskType task() {
    return TaskType.named(taskType).orElseThrow();
  }

  /**
   * Checks that everything without a default is named.
   *
   * @throws org.loranative.UserException naming the missing key
   */
  public void requireComplete() {
    if (baseModel.isEmpty()) {
      throw new UserException(
          "base_model is missing: name a Hugging Face folder or a .gguf file, for task_type sd a"
              + " folder in diffusers' layout (base_model: PATH).");
    }
    if (metadataPath.isEmpty() && trainDataDir.isEmpty()) {
      throw new UserException(
          "The training data is missing: set metadata_path to a .jsonl, .json, .csv or .txt file,"
              + " or train_data_dir to a folder of them.");
    }
    if (outputDir.isEmpty()) {
      throw new UserException("output_dir is missing: name the folder that takes the results.");
    }
  }

  /** Whether the optimizer finds the rate while it trains, so that none need be searched. */
  public boolean findsRate() {
    return OptimizerDefaults.of(optimizer).findsRate();
  }

  /** The learning rate that the optimizer usually takes. */
  public double usualLearningRate() {
    return OptimizerDefaults.of(optimizer).learningRate(task() == TaskType.SD);
  }

  /** {@code memory_budget} in bytes; empty if not set. */
  public OptionalLong memoryBudgetBytes() {
    return memoryBudget.isEmpty() ? OptionalLong.empty() : ByteSize.parse(memoryBudget);
  }

  /** {@code template_date}; empty for the present. */
  public Optional<LocalDateTime> templateDateTime() {
    return Day.parse(templateDate);
  }

  /** The training data; "" where none is named. */
  public String dataPath() {
    return metadataPath.isEmpty() ? trainDataDir : metadataPath;
  }

  /** {@code value} as a path, unless it is "". */
  public static Optional<Path> path(String value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(Path.of(value));
  }
}
