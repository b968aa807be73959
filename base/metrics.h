// Counters, gauges and histograms in Prometheus form: the door to prometheus-cpp.
//
// Names are vitrine_<part>_<what>_<unit>; labels come from fixed sets, never from ids. A part asks
// for its metrics once, in its constructor, and keeps the references: they live as long as the
// Metrics object. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vitrine {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels give the same metric.
  Counter& counter(const std::string& name, const std::string& help,
                   const MetricLabels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  // `bounds`: ascending upper bounds of the buckets, in the metric's unit.
  Histogram& histogram(const std::string& name, const std::string& help,
                       const std::vector<double>& bounds, const MetricLabels& labels = {});

  // Everything, in the Prometheus text format.
  std::string text() const;

 private:
  struct Registry;
  std::unique_ptr<Registry> registry_;
};

// Bounds in seconds from 50 microseconds to 10 seconds, for latencies.
std::vector<double> latency_bounds_seconds();

}  // namespace vitrine
