package org.loranative.config;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A run's settings: one component for each YAML key (in snake case), absent keys filled with their
 * defaults. {@link ConfigReader} reads and checks it; {@code docs/configuration.md} explains the
 * keys to users. Paths that may be absent are "".
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.ALWAYS)
public record TrainConfig(
    String taskType,
    String baseModel,
    String trainDataDir,
    String metadataPath,
    String dataFormat,
    String validationPath,
    Double validationFraction,
    String trainOn,
    String templateDate,
    Integer maxLength,
    Boolean packing,
    Boolean shuffle,
    Integer resolution,
    String tokenizerPath,
    String predictionType,
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
    Double captionDropout,
    Integer loraRank,
    Double loraAlpha,
    Double loraDropout,
    @JsonFormat(with = JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
        List<LoraTarget> loraTargets,
    Boolean useRslora,
    String initAdapter,
    Integer batchSize,
    Integer gradientAccumulation,
    Integer epochs,
    Integer maxSteps,
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
    Long seed,
    String device,
    String computeDtype,
    String quantize,
    String optimizer,
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

  public static final String LLM = "llm";
  public static final String SD = "sd";

  /** What {@code on_divergence} may say. */
  public static final String STOP = "stop";

  public static final String ROLLBACK = "rollback";

  /** Other spellings of a task type. */
  static final Map<String, String> TASK_ALIASES =
      Map.of(
          "text-generation", LLM,
          "text_generation", LLM,
          "text-to-image", SD,
          "text_to_image", SD);

  public TrainConfig {
    taskType = TASK_ALIASES.getOrDefault(or(taskType, LLM), or(taskType, LLM));
    baseModel = or(baseModel, "");
    trainDataDir = or(trainDataDir, "");
    metadataPath = or(metadataPath, "");
    dataFormat = or(dataFormat, "auto");
    validationPath = or(validationPath, "");
    trainOn = or(trainOn, "auto");
    templateDate = or(templateDate, "");
    maxLength = or(maxLength, 1024);
    packing = or(packing, false);
    shuffle = or(shuffle, true);
    boolean images = taskType.equals(SD);
    validationFraction = or(validationFraction, images && validationPath.isEmpty() ? 0.05 : 0.0);
    resolution = or(resolution, images ? 512 : 0);
    tokenizerPath = or(tokenizerPath, "");
    predictionType = or(predictionType, "auto");
    regularizationPath = or(regularizationPath, "");
    priorLossWeight = or(priorLossWeight, 1.0);
    repeats = or(repeats, 1);
    triggerWord = or(triggerWord, "");
    captionEncoding = or(captionEncoding, "utf-8");
    shuffleCaption = or(shuffleCaption, false);
    keepTokens = or(keepTokens, 0);
    flip = or(flip, false);
    randomCrop = or(randomCrop, false);
    background = or(background, "#ffffff");
    strictData = or(strictData, false);
    cacheEncodings = or(cacheEncodings, true);
    cacheDir = or(cacheDir, "");
    minSnrGamma = or(minSnrGamma, 0.0);
    noiseOffset = or(noiseOffset, 0.0);
    multiresNoiseIterations = or(multiresNoiseIterations, 0);
    multiresNoiseDiscount = or(multiresNoiseDiscount, 0.8);
    noiseReplay = or(noiseReplay, "");
    minTimestep = or(minTimestep, 0);
    maxTimestep = or(maxTimestep, 1000);
    loss = or(loss, "mse");
    huberC = or(huberC, 0.1);
    debiasedEstimation = or(debiasedEstimation, false);
    captionDropout = or(captionDropout, 0.0);
    loraRank = or(loraRank, 8);
    loraAlpha = or(loraAlpha, (double) loraRank);
    loraDropout = or(loraDropout, 0.0);
    loraTargets =
        List.copyOf(
            or(loraTargets, List.of(LoraTarget.named(images ? "unet-attention" : "all-linear"))));
    useRslora = or(useRslora, false);
    initAdapter = or(initAdapter, "");
    batchSize = or(batchSize, 4);
    gradientAccumulation = or(gradientAccumulation, 1);
    epochs = or(epochs, 1);
    maxSteps = or(maxSteps, 0);
    optimizer = or(optimizer, "adamw");
    OptimizerDefaults of = OptimizerDefaults.of(optimizer);
    learningRate = or(learningRate, of.learningRate(images));
    lrSchedule = or(lrSchedule, "cosine");
    warmupSteps = or(warmupSteps, 0);
    lrCycles = or(lrCycles, 1);
    lrPower = or(lrPower, 1.0);
    weightDecay = or(weightDecay, images ? 0.01 : 0.0);
    adamBeta1 = or(adamBeta1, 0.9);
    adamBeta2 = or(adamBeta2, of.beta2());
    adamEpsilon = or(adamEpsilon, 1e-8);
    maxGradNorm = or(maxGradNorm, 1.0);
    seed = or(seed, 42L);
    device = or(device, "auto");
    computeDtype = or(computeDtype, "f32");
    quantize = or(quantize, "none");
    threads = or(threads, 0);
    memoryBudget = or(memoryBudget, "");
    outputDir = or(outputDir, "");
    outputName = or(outputName, "lora");
    exportFormat = or(exportFormat, "kohya");
    saveSteps = or(saveSteps, 500);
    keepCheckpoints = or(keepCheckpoints, 2);
    evalSteps = or(evalSteps, 0);
    earlyStop = or(earlyStop, 0);
    onDivergence = or(onDivergence, STOP);
    maxRollbacks = or(maxRollbacks, 3);
    sampleSteps = or(sampleSteps, 0);
    samplePrompts = List.copyOf(or(samplePrompts, List.of()));
    sampleMaxTokens = or(sampleMaxTokens, 64);
  }

  private static <T> T or(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  /**
   * Checks that everything without a default is named.
   *
   * @throws org.loranative.UserException naming the missing key
   */
  public void requireComplete() {
    ConfigChecks.requireComplete(this);
  }

  /** The learning rate that the optimizer usually takes. */
  public double usualLearningRate() {
    return OptimizerDefaults.of(optimizer).learningRate(taskType.equals(SD));
  }

  /** {@code memory_budget} in bytes; empty if not set. */
  public OptionalLong memoryBudgetBytes() {
    return memoryBudget.isEmpty() ? OptionalLong.empty() : ConfigChecks.bytes(memoryBudget);
  }

  /** {@code template_date}; empty for the present. */
  public Optional<LocalDateTime> templateDateTime() {
    if (templateDate.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        templateDate.contains("T")
            ? LocalDateTime.parse(templateDate)
            : LocalDate.parse(templateDate).atStartOfDay());
  }

  /** {@code value} as a path, unless it is "". */
  public static Optional<Path> path(String value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(Path.of(value));
  }
}
