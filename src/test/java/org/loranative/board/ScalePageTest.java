package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.loranative.track.TensorBoard;

/** What the page costs with very many runs; the bounds leave room for slow machines. */
class ScalePageTest extends InBrowser {
  private void finished(int runs) throws IOException {
    for (int i = 0; i < runs; i++) {
      String name = String.format("sweep/%04d/logs", i);
      try (TensorBoard run = new TensorBoard(folder.resolve(name), 1)) {
        run.hyperparameters(
            Map.of("learning_rate", 1e-4 * (1 + i % 7), "lora_rank", 1 << i % 5, "seed", i),
            java.util.List.of());
        for (int step = 1; step <= 300; step++) {
          point(run, step, i);
        }
        run.end(true);
      }
    }
  }

  private static void point(TensorBoard run, int step, int seed) {
    double loss = 1.5 + 3 * Math.exp(-step / 50.0) + 0.1 * Math.sin(step * (seed + 3.0));
    run.scalars(step, Map.of("Loss/train", loss, "lr", 1e-4 * (1 - step / 1e5), "grad_norm", loss));
  }

  private static double kilobytes() {
    Object sum =
        js(
            "performance.getEntriesByType('resource').reduce((n, e) => n + e.transferSize, 0) /"
                + " 1000");
    return ((Number) sum).doubleValue();
  }

  private static void say(String what, double value, String unit) {
    System.out.printf("%s: %.2f %s%n", what, value, unit);
  }

  @Test
  @Tag("slow")
  void aThousandRuns() throws IOException {
    finished(1000);
    long start = System.nanoTime();
    openBoard();
    screen(1440, 1000, false);
    browser.get(board.address().toString());
    until("a chart", () -> !all(".plot[data-curves]").isEmpty());
    double first = (System.nanoTime() - start) / 1e9;
    until("all are read", () -> js("document.getElementById('status').textContent").equals(""));
    double read = (System.nanoTime() - start) / 1e9;
    until(
        "the newest hundred",
        () -> js("document.querySelector('.plot').dataset.curves").equals("100"));
    assertThat(js("document.getElementById('list-count').textContent")).isEqualTo("100 of 1000");
    browser.executeScript("performance.setResourceTimingBufferSize(5000)");
    browser.navigate().refresh();
    long again = System.nanoTime();
    until("a chart", () -> !all(".plot[data-curves]").isEmpty());
    double second = (System.nanoTime() - again) / 1e9;
    pause(3000);
    double whole = kilobytes();
    browser.executeScript("performance.clearResourceTimings()");
    pause(10_000);
    double quiet = kilobytes();
    say("1000 runs, first chart after the board's start", first, "s");
    say("1000 runs, all read", read, "s");
    say("1000 runs, first chart of another page", second, "s");
    say("1000 runs, a page's bytes", whole, "kB");
    say("1000 runs that rest, bytes over 10 s", quiet, "kB");
    assertThat(first).isLessThan(15);
    assertThat(second).isLessThan(8);
    assertThat(whole).isLessThan(6000);
    assertThat(quiet).isLessThan(20);
    view("runs");
    until("the table", () -> all("#runs tbody tr").size() == 300);
    noErrors();
  }

  @Test
  @Tag("slow")
  void oneGrowsAmongAHundred() throws IOException {
    finished(100);
    try (TensorBoard live = new TensorBoard(folder.resolve("growing/logs"), 1)) {
      for (int step = 1; step <= 300; step++) {
        point(live, step, 7);
      }
      openBoard();
      screen(1440, 1000, false);
      loadCharts("");
      until(
          "all of them",
          () ->
              js("document.querySelector('.plot').dataset.curves").equals("101")
                  || js("document.querySelector('.plot').dataset.curves").equals("100"));
      pause(4000);
      browser.executeScript("performance.setResourceTimingBufferSize(5000)");
      browser.executeScript("performance.clearResourceTimings()");
      double before = range()[1];
      for (int step = 301; step <= 500; step++) {
        point(live, step, 7);
        pause(50);
      }
      double grown = kilobytes();
      say("one run of 101 grows by 200 steps, bytes over 10 s", grown, "kB");
      until("it is drawn", () -> range()[1] > before);
      assertThat(grown).isLessThan(250);
      noErrors();
    }
  }
}
