package org.loranative.train.tuning;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.ShellWord;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.Mark;
import org.loranative.config.TrainConfig;
import org.loranative.diagnose.RunCurves;
import org.loranative.io.AtomicFiles;
import org.loranative.optim.Schedule;
import org.loranative.track.Console;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunLog;
import org.loranative.track.StepLine;
import org.loranative.train.StopSignal;
import org.loranative.train.TrainingDivergedException;
import org.loranative.train.runs.TrainRun;

/**
 * Finds learning rate, rank, alpha and epochs for a configuration within a time budget. Every trial
 * is a run in a folder of its own; what was decided stands in {@code tune.json}, so the same call
 * goes on where it was stopped and decides the same.
 */
public final class Tuning {
  private static final String RANGE_TEST = "range-test";
  private static final String CLOCK = "clock";
  private static final int CLOCK_STEPS = 10;
  private static final String RESULT = "tuned.yaml";

  /** How often the epochs are doubled at most. */
  private static final int DOUBLINGS = 2;

  private final Path folder;
  private final Optional<Path> file;
  private final List<String> overrides;
  private final List<Integer> ranks;
  private final TrainConfig config;
  private final Console console;
  private final StopSignal stop;
  private final TuneFile state;
  private final TimeBudget budget;
  private final Map<Candidate, TrialCurves> measured = new LinkedHashMap<>();

  /**
   * @param folder that takes the runs
   * @param file the settings that stay
   * @param overrides of it, {@code key=value}
   * @param ranks to try; those around the configuration's if empty
   * @param time that it may take, with earlier calls
   */
  public Tuning(
      Path folder,
      Optional<Path> file,
      List<String> overrides,
      List<Integer> ranks,
      Duration time,
      Console console,
      StopSignal stop)
      throws IOException {
    this.folder = folder;
    this.file = file;
    this.overrides = List.copyOf(overrides);
    this.ranks = List.copyOf(ranks);
    this.console = console;
    this.stop = stop;
    config = read(List.of());
    config.requireComplete();
    if (Schedule.named(config.lrSchedule()).equals(Optional.of(Schedule.RANGE_TEST))) {
      throw new UserException(
          "lr_schedule: range_test is no schedule that a run is trained with; tune makes a range"
              + " test by itself. Name the one that the run is to have.");
    }
    ranks.forEach(rank -> read(List.of("lora_rank=" + rank))); // which refuses what none may be
    Map<String, Object> settings = ConfigReader.toMap(config);
    settings.keySet().removeIf(key -> Catalogue.isMarked(key, Mark.PLACE));
    settings.put("--ranks", ranks);
    state = TuneFile.open(folder, settings);
    budget = state.budget(time.toMillis() / 1e3);
  }

  private TrainConfig read(List<String> more) {
    List<String> all = new ArrayList<>(overrides);
    all.addAll(more);
    return ConfigReader.read(file, all);
  }

  /** The configuration of a trial. */
  private TrainConfig trial(String name, List<String> more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                ConfigReader.override("output_dir", folder.resolve(name).toString()),
                "keep_checkpoints=1",
                "early_stop=0",
                "sample_steps=0",
                "on_divergence=" + TrainConfig.STOP));
    all.addAll(more);
    return read(all);
  }

  /**
   * Searches, and writes what it found.
   *
   * @return the file with the settings
   * @throws StoppedException when Ctrl-C ended it
   */
  public Path run() throws IOException {
    int whole = wholeRun();
    begin();
    Optional<RangeTest.Outcome> range = Optional.empty();
    if (config.findsRate()) {
      clock();
    } else {
      range = Optional.of(range());
    }
    if (state.candidates().isEmpty()) {
      List<Double> rates =
          range.map(RangeTest.Outcome::rates).orElse(List.of(config.learningRate()));
      if (Halving.LEAST.cost() > budget.affordable()) {
        return write(range.flatMap(RangeTest.Outcome::untried), Halving.LEAST.cost());
      }
      state.candidates(choose(rates, whole));
      state.save();
    }
    List<Candidate> candidates = state.candidates();
    console.line(announce(candidates, whole));
    Search search = halve(candidates);
    if (!search.isRanked()) {
      long done =
          candidates.stream()
              .mapToLong(c -> TrialCurves.of(folder.resolve(c.folder())).trained())
              .sum();
      long all = new Halving(candidates.size(), candidates.get(0).steps()).cost();
      return write(range.flatMap(RangeTest.Outcome::untried), all - done);
    }
    Candidate best = search.best();
    if (search.isWhole() && best.steps() >= whole) {
      beyond(search);
      best = longer(search.best());
    }
    Report report = new Report(search, best, whole, measured);
    return write(report.sentences(), report.settings(config));
  }

  private void begin() {
    try {
      Files.createDirectories(folder);
      state.save();
    } catch (IOException e) {
      throw new UserException(
          "--output-dir " + folder + " cannot be written: " + e.getMessage(), e);
    }
  }

  /** Steps of the configuration's own run. */
  private int wholeRun() {
    try (TrainRun run = new TrainRun(config)) {
      if (!run.holdsOut()) {
        throw new UserException(
            "tune compares settings on data that is not trained on, but nothing is held out: set"
                + " validation_path or validation_fraction (for images at least 1 /"
                + " validation_fraction of them).");
      }
      state.requireSameData(run.dataFingerprint());
      return run.steps();
    }
  }

  /** What learning rates to try. */
  private RangeTest.Outcome range() throws IOException {
    RangeTest.Outcome range = state.range().isPresent() ? state.range().get() : rangeTest();
    console.line("Range test: " + range.words() + ".");
    return range;
  }

  /** A few steps, to know how long they take, where no range test is made. */
  private void clock() throws IOException {
    if (budget.steps() == 0) {
      console.line("A short run, to know how long steps take.");
      train(CLOCK, List.of("max_steps=" + CLOCK_STEPS), TrialCurves.NOTHING, CLOCK_STEPS);
    }
  }

  private RangeTest.Outcome rangeTest() throws IOException {
    RangeTest test = new RangeTest(config.usualLearningRate());
    console.line("Range test: " + RangeTest.STEPS + " steps with a rising learning rate.");
    TrialCurves before = TrialCurves.of(folder.resolve(RANGE_TEST));
    long done = train(RANGE_TEST, test.settings(), before, RangeTest.STEPS).trained();
    if (done < RangeTest.STEPS && !state.diverged().contains(RANGE_TEST)) {
      throw new UserException(
          String.format(
              "The time was over after step %d of the range test's %d. The same command with --for"
                  + " %s or longer goes on.",
              done, RangeTest.STEPS, budget.needed(RangeTest.STEPS - done + Halving.LEAST.cost())));
    }
    RangeTest.Outcome outcome =
        test.read(
            RunCurves.of(new RecordedRun(folder.resolve(RANGE_TEST).resolve("logs")).readAll()));
    state.range(outcome);
    state.save();
    return outcome;
  }

  /** As many candidates as there is time for, over the whole run if it can be. */
  private List<Candidate> choose(List<Double> rates, int whole) {
    Grid all =
        Grid.around(rates, ranks, config.loraRank(), config.loraAlpha()).filter(this::isTrainable);
    if (all.ranks().isEmpty()) {
      throw new UserException("No rank of --ranks can be trained; see the reasons above.");
    }
    long affordable = budget.affordable();
    for (int most = Math.min(Grid.MOST, all.size()); most >= Grid.LEAST; most /= 2) {
      Grid grid = all.within(most);
      Halving halving = new Halving(grid.size(), whole);
      if (halving.isPatient() && halving.cost() <= affordable) {
        return grid.candidates(whole);
      }
    }
    Grid few = all.within(Grid.LEAST);
    int steps = whole;
    while (steps > Halving.FEWEST_STEPS && new Halving(few.size(), steps).cost() > affordable) {
      steps = Math.max(Halving.FEWEST_STEPS, steps - Math.max(1, steps / 16));
    }
    return few.candidates(Math.max(steps, Halving.FEWEST_STEPS));
  }

  /** Whether a run of this rank can be: a larger one may need more memory than there is. */
  private boolean isTrainable(int rank) {
    try (AutoCloseable silence = RunLog.silent();
        TrainRun run = new TrainRun(trial(RANGE_TEST, List.of("lora_rank=" + rank)))) {
      return true;
    } catch (UserException e) {
      console.line(String.format("Rank %d is left out: %s", rank, e.getMessage()));
      return false;
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * @param text {@code 90m}, {@code 2h}, {@code 1h30m}
   */
  public static Duration time(String text) {
    return TimeBudget.parse(text);
  }

  private static String time(double seconds) {
    return StepLine.clock(Duration.ofSeconds((long) Math.ceil(seconds)));
  }

  private String announce(List<Candidate> candidates, int whole) {
    Halving halving = new Halving(candidates.size(), candidates.get(0).steps());
    long cost = halving.cost();
    return String.format(
        "%d candidates, runs of %d steps%s, %d steps in all%s.",
        candidates.size(),
        halving.steps(),
        halving.steps() < whole ? " (of " + whole + ": there is no time for more)" : "",
        cost,
        budget.steps() > 0 ? ", about " + time(cost * budget.secondsPerStep()) : "");
  }

  /** Trains candidates rung by rung, as far as the time goes. */
  private Search halve(List<Candidate> candidates) throws IOException {
    Halving halving = new Halving(candidates.size(), candidates.get(0).steps());
    List<Halving.Rung> rungs = halving.rungs();
    Search search = new Search(candidates, measured);
    for (Halving.Rung rung : rungs) {
      search.keep(rung.candidates());
      for (Candidate c : search.alive()) {
        if (!reach(c, rung.step(), halving.every())) {
          return search.ended(false);
        }
      }
      search.rank(rung.step());
      console.line(String.format("After step %d of %d:", rung.step(), halving.steps()));
      search.lines().forEach(console::line);
    }
    return search.ended(true);
  }

  /**
   * Trains a candidate up to a step, unless it has been.
   *
   * @return whether there was time for it
   */
  private boolean reach(Candidate c, int step, int every) throws IOException {
    Path at = folder.resolve(c.folder());
    TrialCurves before = TrialCurves.of(at);
    measured.put(c, before);
    if (before.at(step).isPresent() || state.diverged().contains(c.folder())) {
      return true;
    }
    if (step - before.trained() > budget.affordable()) {
      return false;
    }
    List<String> settings = new ArrayList<>(c.settings());
    settings.add("eval_steps=" + every);
    settings.add("save_steps=" + every);
    console.line(String.format("%s, steps %d to %d:", c, before.trained() + 1, step));
    TrialCurves after = train(c.folder(), settings, before, step);
    measured.put(c, after);
    return after.at(step).isPresent() || state.diverged().contains(c.folder());
  }

  /** Trains up to a step if the time lasts; whatever a run says of itself stands in its folder. */
  private TrialCurves train(String name, List<String> settings, TrialCurves before, int step)
      throws IOException {
    TrialCurves after;
    try (AutoCloseable silence = RunLog.silent();
        TrainRun run = new TrainRun(trial(name, settings))) {
      run.trainTo(step, Files.exists(folder.resolve(name)), console, stop.or(budget::isOver));
    } catch (TrainingDivergedException e) {
      state.diverged(name);
    } catch (RuntimeException | IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      after = TrialCurves.of(folder.resolve(name));
      budget.trained(after.trained() - before.trained());
      state.spent(budget);
      state.save();
    }
    if (stop.isSet()) {
      throw new StoppedException("Stopped; the same command goes on.");
    }
    return after;
  }

  /** Tries rates beyond those that were tried, as long as the best lies at their end. */
  private void beyond(Search search) throws IOException {
    for (Optional<Candidate> next = search.beyond(RangeTest.STEP);
        next.isPresent();
        next = search.beyond(RangeTest.STEP)) {
      Candidate c = next.get();
      console.line(
          String.format(
              "The best learning rate is at the end of those tried: %s is tried too.",
              Candidate.number(c.rate())));
      if (!reach(c, c.steps(), new Halving(1, c.steps()).every())) {
        console.line("There is no time for that.");
        return;
      }
      search.add(c);
      search.lines().forEach(console::line);
    }
  }

  /** Doubles the epochs as long as that is better for sure and there is time. */
  private Candidate longer(Candidate best) throws IOException {
    Candidate now = best;
    for (int i = 0; i < DOUBLINGS && measured.get(now).isStillFalling(); i++) {
      Candidate twice = now.over(2 * now.steps());
      console.line("The validation loss still falls: the same over " + twice.steps() + " steps.");
      int every = new Halving(1, twice.steps()).every();
      if (!reach(twice, twice.steps(), every)) {
        console.line("There is no time for that.");
        return now;
      }
      boolean better =
          measured
              .get(now)
              .against(now.steps(), measured.get(twice), twice.steps())
              .map(p -> p.isSure() && p.fell() > 0)
              .orElse(false);
      if (!better) {
        return now;
      }
      now = twice;
    }
    return now;
  }

  /** The rate that the range test suggests, where there was no time to compare any. */
  private Path write(Optional<Double> untried, long steps) throws IOException {
    String needed =
        String.format(
            "There is no time to compare candidates, which takes %d steps more: the same command"
                + " with --for %s or longer goes on.",
            steps, budget.needed(steps));
    if (untried.isEmpty()) {
      throw new UserException(needed);
    }
    String rate = Candidate.number(untried.get());
    return write(
        List.of(
            String.format(
                "Best: not known. Rate %s is a tenth of the one at which the range test's loss was"
                    + " lowest, which is often right; rank, alpha and length stay as they are.",
                rate),
            "How sure: nothing was compared. " + needed),
        Map.of("learning_rate", new TunedYaml.Found(rate, "suggested by a range test, not tried")));
  }

  private Path write(List<String> sentences, Map<String, TunedYaml.Found> found)
      throws IOException {
    sentences.forEach(console::line);
    Path result = folder.resolve(RESULT);
    AtomicFiles.writeString(result, TunedYaml.of(file, overrides, found));
    List<String> all = new ArrayList<>();
    found.forEach((key, f) -> all.add(key + "=" + f.value()));
    TrainConfig meant = read(all);
    if (!TunedYaml.says(result, meant)) { // the user's file is written in some unusual way
      AtomicFiles.writeString(result, ConfigReader.toYaml(meant));
    }
    console.line("Written: " + result);
    console.line("Train with it: lora-native train --config " + ShellWord.of(result));
    return result;
  }
}
