package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.loranative.track.TensorBoard;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** Runs beside one another: filtered, sorted, grouped, settings against results. */
class TablePageTest extends InBrowser {

  /** Runs of two ranks whose lowest validation losses are known. */
  private void write(String name, int rank, double best) throws IOException {
    try (TensorBoard run = new TensorBoard(folder.resolve(name).resolve("logs"), 1)) {
      run.hyperparameters(
          Map.of("lora_rank", rank, "learning_rate", 1e-4 * rank, "task_type", "llm"), List.of());
      for (int i = 1; i <= 40; i++) {
        Map<String, Double> scalars = new TreeMap<>(Map.of("Loss/train", best + 1 + 1.0 / i));
        if (i % 10 == 0 && !Double.isNaN(best)) {
          scalars.put("Loss/val", i == 30 ? best : best + 0.5);
        }
        run.scalars(i, scalars);
      }
    }
  }

  private static List<String> names() {
    return all("#runs td.run").stream().map(e -> e.getText().strip()).toList();
  }

  @Test
  void groupsSortsAndFilters() throws IOException {
    write("a", 4, 2.0);
    write("b", 4, 1.5);
    write("c", 16, 1.75);
    write("sub/no-validation", 16, Double.NaN);
    openBoard();
    screen(1440, 1000, false);
    load("#view=runs");
    until("the table", () -> names().size() == 4);
    until("they are read", () -> browser.findElement(By.id("runs")).getText().contains("1.750"));
    sort("best");
    assertThat(names()).containsExactly("b", "c", "a", "sub/no-validation");
    sort("best");
    assertThat(names()).as("what lacks a value stands last").endsWith("sub/no-validation");
    assertThat(names()).startsWith("a", "c", "b");

    choose("#runs", "lora_rank");
    until("two groups", () -> all("#runs tr.group").size() == 2);
    List<String> groups = all("#runs tr.group").stream().map(WebElement::getText).toList();
    assertThat(groups.get(0)).contains("lora_rank = 4", "2 runs", "1.750 (1.500 – 2.000)");
    assertThat(groups.get(1)).contains("lora_rank = 16", "2 runs", "1.750");
    picture("grouped");
    browser.navigate().refresh();
    until("grouped still", () -> all("#runs tr.group").size() == 2);
    choose("#runs", "");
    until("the table", () -> all("#runs tr.group").isEmpty());

    // All and None act on what the filter leaves.
    WebElement filter = browser.findElement(By.id("filter"));
    filter.sendKeys("lora_rank=16");
    until("two left", () -> all("#list li").size() == 2 && names().size() == 2);
    browser.findElement(By.id("none")).click();
    filter.sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
    until("all", () -> all("#list li").size() == 4);
    assertThat(all("#list input").stream().map(WebElement::isSelected))
        .containsExactly(true, true, false, false);
    filter.sendKeys("validation");
    until("one left", () -> all("#list li").size() == 1);
    browser.findElement(By.id("all")).click();
    filter.sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
    until("all", () -> all("#list li").size() == 4);
    assertThat(all("#list input").stream().map(WebElement::isSelected))
        .containsExactly(true, true, false, true);
    noErrors();
  }

  private static void sort(String column) {
    browser.findElement(By.cssSelector("[data-focus='sort " + column + "']")).click();
  }

  /** What a person says of a run goes with it, and orders the list. */
  @Test
  void keepsMarks() throws IOException {
    write("a", 4, 2.0);
    write("z", 16, 1.5);
    openBoard();
    screen(1440, 1000, false);
    load("#view=runs");
    until("the table", () -> names().size() == 2);
    browser.findElement(By.cssSelector("[data-focus='run z']")).click();
    until("its page", () -> all("dialog input").size() == 3);
    all("dialog input").get(0).sendKeys("good, slow" + Keys.TAB);
    browser.executeScript(
        "const c = document.querySelector('dialog input[type=color]'); c.value = '#aa3377';"
            + " c.dispatchEvent(new Event('change'));");
    all("dialog input[type=checkbox]").get(0).click();
    until(
        "kept",
        () -> {
          try {
            String kept = Files.readString(folder.resolve("z/board.json"));
            return kept.contains("slow") && kept.contains("#aa3377") && kept.contains("true");
          } catch (IOException e) {
            return false;
          }
        });
    all("dialog .box-head button").get(0).click();
    until("pinned ones stand first", () -> names().get(0).contains("z"));
    assertThat(browser.findElement(By.id("runs")).getText()).contains("good, slow");
    until(
        "its colour",
        () ->
            all("#list .swatch")
                .get(0)
                .getCssValue("background-color")
                .replace(" ", "")
                .contains("170,51,119"));
    noErrors();
  }

  /** A run without the result has no line; what is never negative has no negative axis. */
  @Test
  void parallelCoordinatesInventNothing() throws IOException {
    write("a", 4, 2.0);
    write("b", 8, 0.01);
    write("c", 16, 1.75);
    write("none", 16, Double.NaN);
    openBoard();
    for (int width : new int[] {1440, 390}) {
      screen(width, 900, false);
      load("#view=runs");
      until("lines", () -> series() == 3);
      until("why", () -> all("#runs .card .hint").get(0).getText().contains("1 run lacks one"));
      assertThat(option("parallelAxis.every((a) => !(a.min < 0))")).isEqualTo(true);
      assertThat(option("parallel[0].layout")).isEqualTo(width < 500 ? "vertical" : "horizontal");
      assertThat(option("parallelAxis.map((a) => a.name).join()"))
          .isEqualTo("learning_rate,lora_rank,best");
      fits();
    }
    picture("parallel-narrow");
    noErrors();
  }

  private static long series() {
    return (Long) option("series.length");
  }

  private static Object option(String what) {
    return js("echarts.getInstanceByDom(document.querySelector('#parallel')).getOption()." + what);
  }
}
